-- What an agent may do when nobody has written a policy.
SELECT id, total FROM orders WHERE status = 'open' ORDER BY id;
SELECT count(*) FROM orders LIMIT 5;
EXPLAIN SELECT * FROM orders;
SHOW search_path;
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public';

-- The incident: everything cancelled.
UPDATE orders SET status = 'cancelled' WHERE status = 'pending';
DELETE FROM orders;
DROP SCHEMA public CASCADE;
TRUNCATE orders;
CREATE TABLE copy AS SELECT * FROM orders;
GRANT ALL ON orders TO public;

-- Writes that look like reads.
WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone;
SELECT * INTO copy FROM orders;
SELECT * FROM orders FOR UPDATE;
EXPLAIN ANALYZE DELETE FROM orders;
COPY (SELECT 1) TO PROGRAM 'cat';
SELECT nextval('orders_id_seq');
SELECT setval('orders_id_seq', 1);
SELECT lo_unlink(1);

-- Reads that are none of a client's business.
SELECT pg_read_file('/etc/passwd');
SELECT rolpassword FROM pg_authid;
SELECT most_common_vals FROM pg_stats;
SELECT query_to_xml('SELECT 1', true, true, '');
SELECT pg_sleep(100);
SELECT pg_terminate_backend(1);

-- Out of the cage.
SET default_transaction_read_only = off;
SET SESSION AUTHORIZATION postgres;
SET ROLE postgres;
BEGIN READ WRITE;
COMMIT;
