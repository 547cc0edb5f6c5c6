-- Where the attached snapshot belongs, and which views it carries.
SELECT
    root,
    paths,
    views_fingerprint
FROM store_info;
