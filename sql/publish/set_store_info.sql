-- Notes where the snapshot belongs, and which views it carries.
DELETE FROM store_info;
INSERT INTO store_info (root, views_fingerprint) SELECT $root, $views_fingerprint;
