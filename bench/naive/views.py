from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.naive.models import Reading


class ReadingSerializer(serializers.Serializer[Reading]):
    type = serializers.CharField(max_length=255)
    time = serializers.DateTimeField()
    site = serializers.CharField(max_length=255)
    sensor = serializers.CharField(max_length=255)
    reading = serializers.IntegerField()
    celsius = serializers.FloatField()
    humidity = serializers.FloatField()


class Readings(APIView):
    def post(self, request: Request) -> Response:
        serializer = ReadingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        valid = serializer.validated_data
        reading = Reading.objects.create(type=valid["type"], time=valid["time"], payload=request.data)
        return Response({"id": reading.pk}, status=202)


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
