-- Notes where the snapshot belongs, and which views it carries.
DELETE FROM store_info;
INSERT INTO store_info (root, paths, views_fingerprint) SELECT
    $root,
    $paths,
    $views_fingerprint;
