SELECT * FROM payroll;
DELETE FROM orders;
selec 1;
