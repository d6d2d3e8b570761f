from rest_framework.pagination import CursorPagination


class Newest(CursorPagination):
    """Pages stay right while new ones arrive."""

    ordering = ("-created_at", "id")
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500


class Ordered(CursorPagination):
    """By id, or as `ordering` asks."""

    ordering = ("id",)
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
