"""Every environment variable of the service: name, default, help.

The single source of `env.sample` and `docs/settings.md`; `manage.py write_settings_docs` makes both, and a test
keeps them equal.
"""

from data_handler.env import Option

PROCESS = "Process"
SERVICES = "Services"
ACCESS = "Access"
INGESTION = "Ingestion"
BUFFER = "Buffer and flush"
STORAGE = "Storage"
MONITOR = "Live monitor"
SOURCES = "Sources"
DATASETS = "Datasets and analyses"

OPTIONS: tuple[Option, ...] = (
    Option(
        "SECRET_KEY",
        "",
        "Signs sessions and CSRF tokens; 50 or more random characters. Required with your own services;"
        " the embedded mode makes one and keeps it in DATA_DIR.",
        PROCESS,
    ),
    Option(
        "ALLOWED_HOSTS",
        "",
        "Comma-separated host names under which the service may be called. Required with your own services;"
        " the embedded mode allows localhost.",
        PROCESS,
    ),
    Option(
        "CSRF_TRUSTED_ORIGINS",
        "",
        "Comma-separated origins (https://example.org) whose pages may log in and open the live feed,"
        " besides the host itself.",
        PROCESS,
    ),
    Option(
        "HTTPS",
        "1",
        "1: the service is reached over HTTPS only, by a proxy that sets X-Forwarded-Proto: secure cookies, redirects"
        " and HSTS are on. The embedded mode serves plain HTTP on loopback and ignores it.",
        PROCESS,
    ),
    Option("DEBUG", "0", "1: tracebacks in the browser. Never where others can reach it.", PROCESS),
    Option("LOG_LEVEL", "INFO", "Least severe log line that is written: DEBUG, INFO, WARNING or ERROR.", PROCESS),
    Option(
        "DATABASE_URL",
        "",
        "PostgreSQL 14 or later, as a libpq URL: postgresql://user:password@host:5432/name. Unset together with"
        " REDIS_URL: the embedded mode, PostgreSQL and Valkey from PyPI wheels.",
        SERVICES,
    ),
    Option(
        "REDIS_URL",
        "",
        "Redis 7 or Valkey 8 or later for tasks, live feed and cache: redis://host:6379/0, rediss:// or unix://path.",
        SERVICES,
    ),
    Option(
        "BUFFER_REDIS_URL",
        "",
        "Redis or Valkey that holds accepted events until they are stored; needs appendonly yes, appendfsync always and"
        " maxmemory-policy noeviction. Default: REDIS_URL.",
        SERVICES,
    ),
    Option("DATA_DIR", ".data", "Where the embedded mode keeps its data, relative to the project.", SERVICES),
    Option(
        "MANAGEMENT_REQUESTS_PER_MINUTE",
        "600",
        "Most requests a minute of each user and each key to the API, those that send events excepted; 0: no limit.",
        ACCESS,
    ),
    Option(
        "LOGIN_ATTEMPTS_PER_MINUTE",
        "10",
        "Failed attempts to log in, and requests to the API with a wrong key, in a minute, after which an address"
        " has to wait; ten times as many log-ins of one user name, from anywhere; 0: no limit.",
        ACCESS,
    ),
    Option(
        "TRUSTED_PROXIES",
        "0",
        "How many reverse proxies stand in front of the web processes, each of which adds to X-Forwarded-For: so many"
        " addresses from its end are believed. 0: a client's address is that of its connection. Compose sets 1.",
        ACCESS,
    ),
    Option("AUDIT_RETENTION_DAYS", "365", "Days that entries of the audit log are kept; 0: for ever.", ACCESS),
    Option("MAX_EVENT_BYTES", "1048576", "Largest event, in bytes of JSON.", INGESTION),
    Option(
        "MAX_BODY_BYTES",
        "20971520",
        "Largest request body, in bytes, before and after decompression.",
        INGESTION,
    ),
    Option("MAX_EVENTS_PER_REQUEST", "10000", "Most events in one request; at most 60000.", INGESTION),
    Option(
        "DIRECTORY_REFRESH_SECONDS",
        "10",
        "How old the copy of API keys and streams in a process may be: a revoked key works at most this long,"
        " for a live feed that is open up to 15 s longer. At most 30.",
        INGESTION,
    ),
    Option(
        "BUFFER_SHARDS",
        "4",
        "Redis lists that accepted events are spread over; as many flush workers can store at once. 1 to 64.",
        BUFFER,
    ),
    Option(
        "BUFFER_MAX_BYTES",
        "1073741824",
        "Bytes of events waiting to be stored past which new ones are refused with 503. Keep it well below the"
        " memory of the buffer's Redis.",
        BUFFER,
    ),
    Option("FLUSH_INTERVAL_SECONDS", "1", "Seconds between two ticks of beat that empty the buffer.", BUFFER),
    Option(
        "FLUSH_MAX_EVENTS",
        "5000",
        "A shard with this many events is flushed at once, without waiting for the tick.",
        BUFFER,
    ),
    Option(
        "FLUSH_MAX_BYTES",
        "16777216",
        "Most bytes of events read from the buffer for one transaction.",
        BUFFER,
    ),
    Option(
        "IDEMPOTENCY_WINDOW_HOURS",
        "168",
        "Hours during which a second event with the same key in the same stream is recognised as a duplicate;"
        " at least 24.",
        STORAGE,
    ),
    Option(
        "RETENTION_DAYS",
        "0",
        "Days that events are kept, counted from their receipt, for streams that say nothing else; 0 keeps them for"
        " ever.",
        STORAGE,
    ),
    Option(
        "QUERY_TIMEOUT_SECONDS",
        "10",
        "Longest time that PostgreSQL may spend on one query for events or records (listing, aggregate, piece of an"
        " export); past it: 503 query_too_slow. At most 3600.",
        STORAGE,
    ),
    Option(
        "NOTIFY_INTERVAL_MS",
        "50",
        "Milliseconds over which arrivals are gathered into one announcement.",
        MONITOR,
    ),
    Option(
        "NOTIFY_MAX_EVENTS",
        "200",
        "Events shown in full in one announcement; the others are counted exactly, by stream and type.",
        MONITOR,
    ),
    Option(
        "FEED_REPLAY_EVENTS",
        "10000",
        "Newest announced events that are kept for clients that come back, 64 MiB of them at most.",
        MONITOR,
    ),
    Option(
        "SOURCES_ALLOWED_HOSTS",
        "",
        "Comma-separated host names (with or without :port), addresses and networks that sources may reach although"
        " their addresses are not public: 192.168.7.0/24,db.internal:5432.",
        SOURCES,
    ),
    Option(
        "SOURCES_HOST_REQUESTS_PER_SECOND",
        "5",
        "Most requests a second that all sources together send to one host.",
        SOURCES,
    ),
    Option(
        "SOURCES_MAX_UPLOAD_BYTES",
        "1073741824",
        "Largest file that can be uploaded to be a source or a dataset.",
        SOURCES,
    ),
    Option(
        "UPLOADS_MAX_GB_PER_OWNER",
        "20",
        "Most space of all files together that one user or one key has uploaded and that are kept, in GB; past it"
        " another one is refused.",
        SOURCES,
    ),
    Option("SOURCES_RUN_RETENTION_DAYS", "30", "Days that ended runs and their logs are kept.", SOURCES),
    Option(
        "SOURCES_SECRET_KEYS",
        "",
        "Comma-separated keys that encrypt the secrets of sources, the first one new secrets; unset: SECRET_KEY. After"
        " a change: manage.py rotate_secrets.",
        SOURCES,
    ),
    Option(
        "SNAPSHOTS_DIR",
        "",
        "Where the snapshots that analyses read are kept, relative to the project. Default: snapshots in DATA_DIR.",
        DATASETS,
    ),
    Option(
        "SNAPSHOTS_MAX_GB",
        "20",
        "Most space of all snapshots together, in GB; those that were used longest ago are removed. Also the largest"
        " one that is made.",
        DATASETS,
    ),
    Option(
        "ANALYSIS_MAX_SECONDS",
        "600",
        "Longest time of an analysis, its snapshots included; past it the task fails with time_limit.",
        DATASETS,
    ),
    Option(
        "ANALYSIS_MAX_MEMORY_MB",
        "900",
        "Most memory of the process that carries out an analysis or takes a snapshot, in MiB; past it the task fails"
        " with memory_limit. At least 200.",
        DATASETS,
    ),
    Option("ANALYSIS_THREADS", "2", "Processor cores that one analysis uses. At most 64.", DATASETS),
    Option(
        "ANALYSIS_RETENTION_DAYS",
        "30",
        "Days that ended analyses and their results are kept; the last successful one of each dataset and kind stays.",
        DATASETS,
    ),
    Option(
        "DATASETS_EXTRA_KINDS",
        "",
        "Comma-separated Python modules with further kinds of analysis (docs/datasets.md).",
        DATASETS,
    ),
)
