-- Notes that a migration has been applied.
INSERT INTO schema_version (version) VALUES ($version);
