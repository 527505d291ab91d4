"""dlt's destination clients, adapted to one connection and one transaction."""
