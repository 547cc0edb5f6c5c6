-- Where the attached snapshot belongs, and which views it carries.
SELECT
    root,
    views_fingerprint
FROM store_info;
