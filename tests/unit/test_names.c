/* tests/unit/test_names.c - prepared statements and cursors of one session, by SQL and by wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum op {
	END,
	SQL,     /* text is checked; expect is "ok" (then it is applied) or SQLSTATE and message */
	PARSE,   /* the wire defines a statement called text */
	BIND,    /* the wire defines a portal called text */
	CLOSE_S, /* the wire closes a statement */
	CLOSE_P, /* the wire closes a portal */
	FAILED,  /* the message with that number failed */
	COMMIT   /* a transaction ended; messages up to number were in it */
};

struct step {
	enum op op;
	uint64_t number;
	const char *text;
	const char *expect;
};

static const struct row {
	const char *name;
	struct step steps[8];
} rows[] = {
	{ "what is prepared can be executed", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { SQL, 2, "EXECUTE p", "ok" } } },
	{ "what is not cannot", { { SQL, 1, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "nothing is prepared twice", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" },
					   { SQL, 2, "PREPARE p AS SELECT 2", "42P05 prepared statement \"p\" already exists" } } },
	{ "deallocated statements are gone", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { SQL, 2, "DEALLOCATE p", "ok" },
						 { SQL, 3, "EXECUTE p", "26000 prepared statement \"p\" does not exist" },
						 { SQL, 4, "DEALLOCATE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "all of them, too",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { PARSE, 2, "w", NULL }, { SQL, 3, "DEALLOCATE ALL", "ok" },
		{ SQL, 4, "EXECUTE w", "26000 prepared statement \"w\" does not exist" } } },
	{ "Parse and EXECUTE meet", { { PARSE, 1, "w", NULL }, { SQL, 2, "EXECUTE w", "ok" }, { SQL, 3, "DEALLOCATE w", "ok" } } },
	{ "Close by wire", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { CLOSE_S, 2, "p", NULL },
			       { SQL, 3, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "Close of what is not there is fine", { { CLOSE_S, 1, "p", NULL }, { CLOSE_P, 2, "c", NULL } } },
	{ "names are cut at 63 bytes",
	    { { PARSE, 1, A63 "b", NULL }, { SQL, 2, "EXECUTE " A63, "ok" }, { SQL, 3, "EXECUTE " A63 "c", "ok" } } },
	{ "names know case", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" },
				 { SQL, 2, "EXECUTE \"P\"", "26000 prepared statement \"P\" does not exist" } } },
	{ "statements and cursors are two tables",
	    { { SQL, 1, "PREPARE x AS SELECT 1", "ok" }, { SQL, 2, "CLOSE x", "34000 cursor \"x\" does not exist" } } },

	{ "a declared cursor can be read",
	    { { SQL, 1, "DECLARE c CURSOR FOR SELECT 1", "ok" }, { SQL, 2, "FETCH 1 FROM c", "ok" }, { SQL, 3, "MOVE c", "ok" },
		{ SQL, 4, "CLOSE c", "ok" }, { SQL, 5, "FETCH c", "34000 cursor \"c\" does not exist" } } },
	{ "another one cannot", { { SQL, 1, "FETCH ALL FROM paycur", "34000 cursor \"paycur\" does not exist" } } },
	{ "a cursor is not declared twice",
	    { { SQL, 1, "DECLARE c CURSOR FOR SELECT 1", "ok" },
		{ SQL, 2, "DECLARE c CURSOR FOR SELECT 2", "42P03 cursor \"c\" already exists" } } },
	{ "a portal of the wire is a cursor", { { BIND, 1, "c", NULL }, { SQL, 2, "FETCH c", "ok" } } },
	{ "all cursors are closed", { { SQL, 1, "DECLARE c CURSOR FOR SELECT 1", "ok" }, { SQL, 2, "CLOSE ALL", "ok" },
					{ SQL, 3, "FETCH c", "34000 cursor \"c\" does not exist" } } },
	{ "cursors end with their transaction", { { SQL, 1, "DECLARE c CURSOR FOR SELECT 1", "ok" }, { COMMIT, 1, NULL, NULL },
						    { SQL, 2, "FETCH c", "34000 cursor \"c\" does not exist" } } },
	{ "unless they are held", { { SQL, 1, "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "ok" }, { COMMIT, 1, NULL, NULL },
				      { SQL, 2, "FETCH c", "ok" } } },
	{ "or belong to the next",
	    { { SQL, 2, "DECLARE c CURSOR FOR SELECT 1", "ok" }, { COMMIT, 1, NULL, NULL }, { SQL, 3, "FETCH c", "ok" } } },
	{ "statements stay",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { COMMIT, 1, NULL, NULL }, { SQL, 2, "EXECUTE p", "ok" } } },

	{ "a failed PREPARE has prepared nothing", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { FAILED, 1, NULL, NULL },
						       { SQL, 2, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "another message's failure changes nothing",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { FAILED, 2, NULL, NULL }, { SQL, 3, "EXECUTE p", "ok" } } },
	{ "a failed DEALLOCATE has removed nothing", { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { SQL, 2, "DEALLOCATE p", "ok" },
							 { FAILED, 2, NULL, NULL }, { SQL, 3, "EXECUTE p", "ok" } } },
	{ "of a text that removed a name, gave it anew and failed, neither statement is trusted",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { SQL, 2, "DEALLOCATE p; PREPARE p AS SELECT 2", "ok" },
		{ FAILED, 2, NULL, NULL }, { SQL, 3, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "a failed DISCARD has removed nothing", { { PARSE, 1, "w", NULL }, { SQL, 2, "DEALLOCATE ALL", "ok" },
						      { FAILED, 2, NULL, NULL }, { SQL, 3, "EXECUTE w", "ok" } } },
	{ "a Parse over an old name that failed leaves the old one",
	    { { PARSE, 1, "w", NULL }, { PARSE, 2, "w", NULL }, { FAILED, 2, NULL, NULL }, { SQL, 3, "EXECUTE w", "ok" } } },
	{ "what a transaction settled does not come back",
	    { { PARSE, 1, "w", NULL }, { SQL, 2, "DEALLOCATE w", "ok" }, { COMMIT, 2, NULL, NULL }, { FAILED, 2, NULL, NULL },
		{ SQL, 3, "EXECUTE w", "26000 prepared statement \"w\" does not exist" } } },

	{ "statements of one text see each other", { { SQL, 1, "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p", "ok" },
						       { SQL, 2, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "in order", { { SQL, 1, "EXECUTE p; PREPARE p AS SELECT 1", "26000 prepared statement \"p\" does not exist" } } },
	{ "a text that prepares twice",
	    { { SQL, 1, "PREPARE p AS SELECT 1; PREPARE p AS SELECT 1", "42P05 prepared statement \"p\" already exists" } } },
	{ "a text that removes and prepares anew",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" }, { SQL, 2, "DEALLOCATE p; PREPARE p AS SELECT 2; EXECUTE p", "ok" },
		{ SQL, 3, "EXECUTE p", "ok" } } },
	{ "a text that removes all and uses one",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" },
		{ SQL, 2, "DEALLOCATE ALL; EXECUTE p", "26000 prepared statement \"p\" does not exist" },
		{ SQL, 3, "EXECUTE p", "ok" } } },
	{ "a text that removes all and prepares anew",
	    { { SQL, 1, "PREPARE p AS SELECT 1", "ok" },
		{ SQL, 2, "PREPARE q AS SELECT 1; DEALLOCATE ALL; PREPARE p AS SELECT 1; EXECUTE p", "ok" },
		{ SQL, 3, "EXECUTE q", "26000 prepared statement \"q\" does not exist" } } },
	{ "a refused text changes nothing",
	    { { SQL, 1, "PREPARE p AS SELECT 1; EXECUTE q", "26000 prepared statement \"q\" does not exist" },
		{ SQL, 2, "EXECUTE p", "26000 prepared statement \"p\" does not exist" } } },
	{ "other statements use no names", { { SQL, 1, "SELECT 1; SELECT 2", "ok" } } },
};

struct fixture {
	struct policy *policy;
	struct names *names;
};

static void
open_fixture(struct fixture *f)
{
	static const char text[] = "{\"version\":1,\"profiles\":{\"a\":{\"multi_statement\":\"each\"}}}";
	struct sb errors = { 0 };

	f->policy = policy_parse("f", text, strlen(text), &errors);
	assert_non_null(f->policy);
	f->names = names_new();
	sb_free(&errors);
}

static void
close_fixture(struct fixture *f)
{
	names_free(f->names);
	policy_unref(f->policy);
}

static struct judgement *
judge(const struct fixture *f, const char *sql)
{
	struct judgement *j = policy_judge(f->policy, policy_default_profile(f->policy), sql, strlen(sql), JUDGE_SIMPLE);

	if (j->verdict == VERDICT_BLOCK)
		fail_msg("%s: %s", sql, j->message);
	return j;
}

static void
run_sql(const struct fixture *f, const struct step *s)
{
	struct judgement *j = judge(f, s->text);
	struct err message = { "" };
	char sqlstate[6] = "", found[1100];
	bool good = names_check(f->names, j, sqlstate, &message);

	snprintf(found, sizeof(found), "%s %s", sqlstate, message.text);
	assert_string_equal(good ? "ok" : found, s->expect);
	if (good)
		names_apply(f->names, j, s->number);
	judgement_unref(j);
}

static void
run_define(const struct fixture *f, const struct step *s)
{
	struct judgement *j = judge(f, "SELECT 1");

	assert_true(s->op == PARSE ? names_set_statement(f->names, s->text, j, 0, s->number)
				   : names_set_portal(f->names, s->text, j, 0, s->number));
	judgement_unref(j);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct fixture f;

	open_fixture(&f);
	for (const struct step *s = row->steps; s < row->steps + nitems(row->steps) && s->op != END; s++) {
		switch (s->op) {
		case SQL:
			run_sql(&f, s);
			break;
		case PARSE:
		case BIND:
			run_define(&f, s);
			break;
		case CLOSE_S:
			names_close_statement(f.names, s->text);
			break;
		case CLOSE_P:
			names_close_portal(f.names, s->text);
			break;
		case FAILED:
			names_failed(f.names, s->number);
			break;
		case COMMIT:
			names_transaction_end(f.names, s->number);
			break;
		case END:
			break;
		}
	}
	close_fixture(&f);
}

static void
entries_say_what_they_are(void **state)
{
	struct fixture f;
	struct judgement *j;

	(void)state;
	open_fixture(&f);
	j = judge(&f, "SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 2");
	names_apply(f.names, j, 7);
	assert_ptr_equal(names_portal(f.names, "c")->judgement, j);
	assert_int_equal(names_portal(f.names, "c")->statement, 1);
	assert_int_equal(names_portal(f.names, "c")->owner, 7);
	assert_true(names_portal(f.names, "c")->hold);
	assert_true(names_portal(f.names, "c")->sql);
	assert_true(names_set_statement(f.names, "", j, 0, 8));
	assert_false(names_statement(f.names, "")->sql);
	assert_null(names_portal(f.names, ""));
	names_portal(f.names, "c")->tally->rows += 5;
	assert_int_equal(names_portal(f.names, "c")->tally->rows, 5);
	judgement_unref(j);
	assert_string_equal(names_statement(f.names, "")->judgement->text, "SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 2");
	close_fixture(&f);
}

static void
the_table_fills_up(void **state)
{
	struct fixture f;
	struct judgement *j;
	struct err message;
	char name[32], sqlstate[6];

	(void)state;
	open_fixture(&f);
	j = judge(&f, "PREPARE one_more AS SELECT 1");
	for (int i = 0; i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_true(names_set_statement(f.names, name, j, 0, 1));
	}
	assert_false(names_set_statement(f.names, "one_more", j, 0, 2));
	assert_true(names_set_statement(f.names, "s17", j, 0, 2));
	assert_false(names_check(f.names, j, sqlstate, &message));
	assert_string_equal(sqlstate, "53400");
	assert_string_equal(message.text, "this session has 10000 prepared statements already");
	names_close_statement(f.names, "s4711");
	assert_true(names_check(f.names, j, sqlstate, &message));
	judgement_unref(j);
	close_fixture(&f);
}

static void
long_texts_fill_it_sooner(void **state)
{
	struct fixture f;
	struct sb text = { 0 };
	struct judgement *j;
	char name[32];
	int n;

	(void)state;
	open_fixture(&f);
	sb_str(&text, "SELECT '");
	for (int i = 0; i < 25000; i++)
		sb_str(&text, "0123456789");
	sb_char(&text, '\'');
	j = judge(&f, sb_text(&text));
	for (n = 0; n < NAMES_MAX; n++) {
		snprintf(name, sizeof(name), "s%d", n);
		if (!names_set_statement(f.names, name, j, 0, 1))
			break;
	}
	assert_in_range(n, 100, 300); /* 64 MB of 250 kB, or of twice that when it was rewritten */
	judgement_unref(j);
	close_fixture(&f);
	sb_free(&text);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "entries say what they are", entries_say_what_they_are, NULL, NULL, NULL },
		{ "the table fills up", the_table_fills_up, NULL, NULL, NULL },
		{ "long texts fill it sooner", long_texts_fill_it_sooner, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
