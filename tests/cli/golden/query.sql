SELECT *
FROM (VALUES
    (1, 'plain', 'nan'::DOUBLE, 9007199254740993, true, TIMESTAMPTZ '2026-11-21 08:25:05.97915+00',
     DATE '2026-11-21', ['a', NULL, 'b,c'], {'x': 1.5, 'y': 'nan'::DOUBLE, 'z': {'deep': true}}, 0.1),
    (2, NULL, 'infinity'::DOUBLE, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, '', '-infinity'::DOUBLE, -9007199254740993, false, TIMESTAMPTZ '1969-12-31 23:59:59+00',
     DATE '1900-01-01', [], {'x': NULL, 'y': 0, 'z': NULL}, 1234567.25),
    (4, E'comma, "quote", ''single'' | pipe\nnewline\ttab \\ back', 1e-7, 0, true, TIMESTAMPTZ '2026-01-01 00:00:00+02',
     DATE '2026-01-01', ['|', E'\n'], {'x': 1e300, 'y': -0.0, 'z': {'deep': false}}, -0.5),
    (5, 'Ünïcödé 漢字 🎉 <b>*bold*</b> [x](y) `code` _it_ a_b', 0.1, 42, false,
     TIMESTAMPTZ '2026-12-31 23:59:59.999999+00', DATE '9999-12-31', ['🎉'], {'x': 0, 'y': 1, 'z': {'deep': NULL}}, 100)
) AS answer (id, "text", number, big, flag, moment, day, list, nested, decimal)
ORDER BY id
