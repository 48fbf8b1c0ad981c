-- The shop of `make demo`: 2500 orders, 847 of them pending.
CREATE TABLE users (
	id	int PRIMARY KEY,
	name	text NOT NULL,
	email	text NOT NULL,
	ssn	text NOT NULL
);
CREATE TABLE products (
	id	int PRIMARY KEY,
	name	text NOT NULL,
	price	numeric(10, 2) NOT NULL
);
CREATE TABLE orders (
	id		int PRIMARY KEY,
	user_id		int NOT NULL REFERENCES users,
	product_id	int NOT NULL REFERENCES products,
	status		text NOT NULL,
	ordered_at	date NOT NULL
);
CREATE TABLE payroll (
	user_id	int PRIMARY KEY REFERENCES users,
	salary	numeric(10, 2) NOT NULL
);
CREATE SCHEMA secret;
CREATE TABLE secret.api_keys (name text PRIMARY KEY, key text NOT NULL);

INSERT INTO users
	SELECT i, 'User ' || i, 'user' || i || '@example.com', format('9%s-%s-%s', 10 + i % 90, 10 + i % 89, 1000 + i)
	FROM generate_series(1, 400) i;
INSERT INTO products
	SELECT i, (ARRAY['Lamp', 'Chair', 'Desk', 'Shelf', 'Rug'])[1 + i % 5] || ' no. ' || i, 5 + (i * 37 % 500) + 0.99
	FROM generate_series(1, 60) i;
INSERT INTO orders
	SELECT i, 1 + i % 400, 1 + i % 60, CASE WHEN i <= 847 THEN 'pending' WHEN i % 7 = 0 THEN 'returned' ELSE 'delivered' END,
	    date '2026-03-01' - i / 10
	FROM generate_series(1, 2500) i;
INSERT INTO payroll SELECT id, 3000 + id * 7 FROM users WHERE id <= 25;
INSERT INTO secret.api_keys VALUES ('billing', 'sk_live_not_for_agents');
CREATE INDEX ON orders (status);
ANALYZE users, products, orders;
