"""What can be wrong with the database."""


class WarehouseError(Exception):
    """The database cannot be used. The message says which, why and what to do."""


class BusyError(Exception):
    """Another sync has the database."""
