SELECT * FROM orders;
SELECT * FROM orders -- a comment at the end
;
SELECT * FROM orders LIMIT 10;
SELECT * FROM orders LIMIT 100000;
SELECT * FROM orders LIMIT ALL;
SELECT * FROM orders FETCH FIRST 5000 ROWS ONLY;
SELECT * FROM orders OFFSET 20;
SELECT 1 UNION ALL SELECT 2;
(SELECT 1);
TABLE orders;
VALUES (1), (2);
SELECT * FROM (SELECT * FROM orders) s;
SELECT 1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1;
SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
