SELECT * FROM orders LIMIT 10;
SELECT * FROM analytics.daily LIMIT 10;
SELECT * FROM payroll;
SELECT * FROM public.payroll;
SELECT * FROM "payroll";
SELECT * FROM PAYROLL;
SELECT * FROM secret.keys;
SELECT * FROM elsewhere.things;
SELECT * FROM analytics.audit_log;
-- wherever it stands
SELECT (SELECT max(salary) FROM payroll);
SELECT 1 FROM orders WHERE EXISTS (SELECT FROM payroll);
WITH p AS (SELECT * FROM payroll) SELECT 1;
SELECT 1 UNION SELECT salary FROM payroll;
SELECT 1 FROM orders o JOIN LATERAL (TABLE payroll) p ON true;
EXPLAIN SELECT * FROM payroll;
-- a CTE of that name is another thing
WITH payroll AS (SELECT 1) SELECT * FROM payroll;
WITH x AS (WITH payroll AS (SELECT 1) SELECT * FROM payroll) SELECT * FROM x, payroll;
