/* The queue of owed answers, and the directory of cancel keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "directory.h"
#include "pipeline.h"

/* --- pipeline ------------------------------------------------------------ */

/* A row: messages as letters (Q P B D E C S), what is popped, and what is left. */
static const struct row {
	const char *name;
	const char *push;
	size_t pops;
	const char *left;
	bool closer;
} rows[] = {
	{ "an empty queue owes nothing", "", 0, "", false },
	{ "popping an empty queue does nothing", "", 3, "", false },
	{ "answers come in the order of the messages", "PBES", 1, "BES", true },
	{ "a series without Sync owes no ReadyForQuery", "PBE", 0, "PBE", false },
	{ "a Query owes ReadyForQuery", "Q", 0, "Q", true },
	{ "nothing is left of what was popped", "QQ", 2, "", false },
	{ "a hundred messages keep their order", "PBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBESPBES",
	    77, "BES", true },
	{ "a Sync that was popped closes nothing any more", "SPB", 1, "PB", false },
};

static enum owed_kind
kind_of(char c)
{
	switch (c) {
	case 'P':
		return OWED_PARSE;
	case 'B':
		return OWED_BIND;
	case 'D':
		return OWED_DESCRIBE;
	case 'E':
		return OWED_EXECUTE;
	case 'C':
		return OWED_CLOSE;
	case 'S':
		return OWED_SYNC;
	default:
		return OWED_QUERY;
	}
}

static void
assert_left(struct pipeline *p, const char *left)
{
	size_t i;

	assert_int_equal(p->count, strlen(left));
	for (i = 0; left[i] != '\0'; i++)
		assert_int_equal(pipeline_at(p, i)->kind, kind_of(left[i]));
	assert_null(pipeline_at(p, i));
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct pipeline p = { 0 };
	size_t i;

	for (i = 0; row->push[i] != '\0'; i++)
		pipeline_push(&p, kind_of(row->push[i]), i + 1);
	for (i = 0; i < row->pops; i++)
		pipeline_pop(&p);
	assert_left(&p, row->left);
	assert_int_equal(pipeline_has_closer(&p), row->closer);
	pipeline_release(&p);
	assert_int_equal(p.count, 0);
}

static void
test_wraps(void **state)
{
	struct pipeline p = { 0 };
	uint64_t in = 0, out = 0;
	int turn;

	(void)state;
	for (turn = 0; turn < 1000; turn++) {
		pipeline_push(&p, OWED_QUERY, ++in);
		pipeline_push(&p, OWED_SYNC, ++in);
		assert_int_equal(pipeline_head(&p)->number, ++out);
		pipeline_pop(&p);
	}
	assert_int_equal(p.count, 1000);
	assert_int_equal(pipeline_tail(&p)->number, in);
	pipeline_release(&p);
}

static void
test_forgets_syncs(void **state)
{
	struct pipeline p = { 0 };

	(void)state;
	pipeline_push(&p, OWED_EXECUTE, 7);
	pipeline_push(&p, OWED_SYNC, 8);
	pipeline_push(&p, OWED_SYNC, 9);
	pipeline_push(&p, OWED_QUERY, 10);
	pipeline_push(&p, OWED_SYNC, 11);
	pipeline_forget_syncs(&p);
	assert_left(&p, "EQS");
	assert_int_equal(pipeline_head(&p)->number, 7);
	assert_true(pipeline_has_closer(&p));
	pipeline_release(&p);
}

/* --- directory ----------------------------------------------------------- */

static struct worker *const worker = (struct worker *)0x1000;

static void
test_right_key(void **state)
{
	struct directory *d = directory_new();
	struct cancel_key key;
	struct worker *w = NULL;
	uint64_t session = 0;

	(void)state;
	directory_enter(d, worker, 42, CANCEL_KEY_LONG, &key);
	assert_int_equal(key.len, CANCEL_KEY_LONG);
	assert_true(directory_find(d, key.pid, key.secret, key.len, &w, &session));
	assert_ptr_equal(w, worker);
	assert_int_equal(session, 42);
	directory_free(d);
}

static void
test_wrong_keys(void **state)
{
	struct directory *d = directory_new();
	struct cancel_key key, other;
	struct worker *w;
	uint64_t session;

	(void)state;
	directory_enter(d, worker, 1, CANCEL_KEY_SHORT, &key);
	directory_enter(d, worker, 2, CANCEL_KEY_SHORT, &other);
	assert_int_not_equal(key.pid, other.pid);
	assert_false(directory_find(d, key.pid, other.secret, other.len, &w, &session));
	assert_false(directory_find(d, key.pid, key.secret, key.len - 1, &w, &session));
	key.secret[3] ^= 1;
	assert_false(directory_find(d, key.pid, key.secret, key.len, &w, &session));
	assert_false(directory_find(d, 0, key.secret, 0, &w, &session));
	directory_free(d);
}

static void
test_left(void **state)
{
	struct directory *d = directory_new();
	struct cancel_key key;
	struct worker *w;
	uint64_t session;

	(void)state;
	directory_enter(d, worker, 1, CANCEL_KEY_SHORT, &key);
	directory_leave(d, key.pid);
	assert_false(directory_find(d, key.pid, key.secret, key.len, &w, &session));
	directory_leave(d, key.pid);
	directory_free(d);
}

int
main(void)
{
	static const struct CMUnitTest more[] = {
		{ "the ring grows while it wraps", test_wraps, NULL, NULL, NULL },
		{ "a Sync before COPY data is never answered", test_forgets_syncs, NULL, NULL, NULL },
		{ "the right key finds its session", test_right_key, NULL, NULL, NULL },
		{ "a wrong, short or foreign key finds nothing", test_wrong_keys, NULL, NULL, NULL },
		{ "a session that left is not found", test_left, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(more)];
	size_t i;

	for (i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	memcpy(tests + i, more, sizeof(more));
	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
