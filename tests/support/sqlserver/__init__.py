"""A SQL Server for tests: speaks TDS 7.4 and behaves as Microsoft documents it. See README.md."""

from . import views_database, views_server  # noqa: F401  (they register the views)
