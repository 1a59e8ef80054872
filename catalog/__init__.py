"""Reference data of the domain and its typed readers; no database, no screens."""
