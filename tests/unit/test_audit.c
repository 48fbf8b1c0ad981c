/* tests/unit/test_audit.c - the audit trail: whole lines in order, and what happens when they cannot be written. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "audit.h"
#include "log.h"

static char dir[] = "/tmp/test_audit.XXXXXX", file[64], moved[64];

static const struct principal principal = { .user = "ann\n", .database = "shop", .application_name = "a\"b", .client = "10.0.0.7" };
static const struct audit_who who = { .session = 7, .principal = &principal, .profile = "agent" };

static struct audit *
open_audit(const char *path, bool redact, enum audit_on_failure on_failure, size_t queue_bytes)
{
	const struct audit_options options = {
		.path = path, .redact = redact, .on_failure = on_failure, .queue_bytes = queue_bytes
	};
	struct err err;
	struct audit *a = audit_open(&options, &err);

	if (a == NULL)
		fail_msg("%s", err.text);
	return a;
}

static struct judgement *
judge(const char *sql)
{
	struct policy *policy = policy_builtin();
	struct judgement *j = policy_judge(policy, policy_default_profile(policy), sql, strlen(sql), JUDGE_SIMPLE);

	policy_unref(policy);
	return j;
}

/* The n-th line of a file, parsed; NULL when there are not as many. */
static cJSON *
line_of(const char *path, size_t n)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, i;
	cJSON *json = NULL;

	assert_non_null(f);
	for (i = 0; getline(&line, &size, f) > 0; i++)
		if (i == n && (json = cJSON_Parse(line)) == NULL)
			fail_msg("not JSON: %s", line);
	free(line);
	fclose(f);
	return json;
}

static const char *
text_of(const cJSON *json, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, key));

	if (text == NULL)
		fail_msg("no %s", key);
	return text;
}

static void
assert_number(const cJSON *json, const char *key, double value)
{
	const cJSON *item = cJSON_GetObjectItem(json, key);

	assert_true(cJSON_IsNumber(item));
	assert_true(item->valuedouble == value);
}

static void
test_decision(void **state)
{
	struct audit *a = open_audit(file, false, AUDIT_REFUSE, 0);
	struct judgement *j = judge("DELETE FROM orders");
	cJSON *json;

	(void)state;
	assert_true(audit_decision(a, &who, "query", 3, j, true));
	audit_close(a);
	judgement_unref(j);
	json = line_of(file, 0);
	assert_string_equal(text_of(json, "event"), "query");
	assert_string_equal(text_of(json, "user"), "ann\n");
	assert_string_equal(text_of(json, "application"), "a\"b");
	assert_string_equal(text_of(json, "client"), "10.0.0.7");
	assert_string_equal(text_of(json, "database"), "shop");
	assert_string_equal(text_of(json, "profile"), "agent");
	assert_string_equal(text_of(json, "verdict"), "block");
	assert_string_equal(text_of(json, "text"), "DELETE FROM orders");
	assert_int_equal(strlen(text_of(json, "time")), 27);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "observed")));
	assert_number(json, "session", 7);
	assert_number(json, "query", 3);
	cJSON_Delete(json);
}

static void
test_redact(void **state)
{
	struct audit *a = open_audit(file, true, AUDIT_REFUSE, 0);
	struct judgement *j = judge("SELECT 'my secret'");
	char *printed;
	cJSON *json;

	(void)state;
	assert_true(audit_decision(a, &who, "query", 1, j, false));
	audit_close(a);
	judgement_unref(j);
	json = line_of(file, 0);
	assert_string_equal(text_of(json, "text"), "redacted");
	printed = cJSON_Print(json);
	assert_null(strstr(printed, "my secret"));
	free(printed);
	cJSON_Delete(json);
}

static void
test_done(void **state)
{
	struct audit *a = open_audit(file, false, AUDIT_REFUSE, 0);
	cJSON *json;

	(void)state;
	assert_true(audit_done(a, &who, 9, 10, 200, 1234567, "57014", true));
	audit_close(a);
	json = line_of(file, 0);
	assert_string_equal(text_of(json, "event"), "done");
	assert_number(json, "query", 9);
	assert_number(json, "rows", 10);
	assert_number(json, "bytes", 200);
	assert_number(json, "milliseconds", 1234.567);
	assert_string_equal(text_of(json, "sqlstate"), "57014");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "capped")));
	cJSON_Delete(json);
}

static void
test_order(void **state)
{
	struct audit *a = open_audit(file, false, AUDIT_REFUSE, 0);
	cJSON *json;
	uint64_t i;

	(void)state;
	for (i = 0; i < 2000; i++)
		assert_true(audit_done(a, &who, i, 0, 0, 0, "00000", false));
	audit_close(a);
	for (i = 0; i < 2000; i += 333) {
		json = line_of(file, (size_t)i);
		assert_number(json, "query", (double)i);
		cJSON_Delete(json);
	}
	assert_null(line_of(file, 2000));
}

static void
test_append(void **state)
{
	struct audit *a;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		a = open_audit(file, false, AUDIT_REFUSE, 0);
		assert_true(audit_event(a, &who, "connect", NULL));
		audit_close(a);
	}
	cJSON_Delete(line_of(file, 1));
	assert_null(line_of(file, 2));
}

/* A pipe that nobody reads: the writer stands still, the queue fills. */
static void
test_full(void **state)
{
	struct judgement *j = judge("SELECT 1");
	struct audit *a;
	int fd, size, i;

	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	fd = open(file, O_RDWR | O_NONBLOCK);
	assert_int_not_equal(fd, -1);
	size = fcntl(fd, F_SETPIPE_SZ, 4096);
	a = open_audit(file, false, AUDIT_REFUSE, 8192);
	for (i = 0; i < 1000 && audit_decision(a, &who, "query", 1, j, false); i++)
		;
	assert_in_range(i, 1, (8192 + size) / 100);
	assert_int_equal(audit_lost(a), 1);
	/* What was forwarded before can still be completed. */
	assert_true(audit_done(a, &who, 1, 0, 0, 0, "00000", false));
	audit_close(a);
	close(fd);
	judgement_unref(j);
}

static void
test_full_counted(void **state)
{
	struct judgement *j = judge("SELECT 1");
	struct audit *a;
	int fd, i;

	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	fd = open(file, O_RDWR | O_NONBLOCK);
	fcntl(fd, F_SETPIPE_SZ, 4096);
	a = open_audit(file, false, AUDIT_COUNT, 8192);
	for (i = 0; i < 1000; i++)
		assert_true(audit_decision(a, &who, "query", 1, j, false));
	assert_in_range(audit_lost(a), 800, 1000);
	audit_close(a);
	close(fd);
	judgement_unref(j);
}

static void
test_failing(void **state)
{
	struct judgement *j = judge("SELECT 1");
	struct audit *a = open_audit("/dev/full", false, AUDIT_REFUSE, 64 << 10);
	int i;

	(void)state;
	/* The first ones are taken before the writer has failed; the queue ends it in any case. */
	for (i = 0; i < 100000 && audit_decision(a, &who, "query", 1, j, false); i++)
		;
	assert_in_range(i, 0, 99999);
	audit_close(a);
	judgement_unref(j);
}

static void
test_rotation(void **state)
{
	struct audit *a = open_audit(file, false, AUDIT_REFUSE, 0);
	cJSON *first, *second;

	(void)state;
	assert_true(audit_event(a, &who, "connect", "one"));
	audit_close(a);
	a = open_audit(file, false, AUDIT_REFUSE, 0);
	assert_int_equal(rename(file, moved), 0);
	audit_reopen(a);
	assert_true(audit_event(a, &who, "connect", "two"));
	audit_close(a);
	first = line_of(moved, 0);
	assert_string_equal(text_of(first, "reason"), "one");
	second = line_of(file, 0);
	assert_string_equal(text_of(second, "reason"), "two");
	cJSON_Delete(first);
	cJSON_Delete(second);
}

static void
test_none(void **state)
{
	(void)state;
	assert_true(audit_decision(NULL, &who, "query", 1, NULL, false));
	assert_true(audit_done(NULL, &who, 1, 0, 0, 0, "00000", false));
	assert_true(audit_event(NULL, &who, "connect", NULL));
	assert_int_equal(audit_lost(NULL), 0);
	audit_reopen(NULL);
	audit_close(NULL);
}

static void
test_cannot_open(void **state)
{
	const struct audit_options options = { .path = "/nowhere/audit" };
	struct err err;

	(void)state;
	assert_null(audit_open(&options, &err));
	assert_string_equal(err.text, "audit file /nowhere/audit: No such file or directory");
}

static int
setup(void **state)
{
	struct err err;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/audit", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	return log_open("/dev/null", LOG_ERROR_, &err) ? 0 : -1;
}

static int
clear(void **state)
{
	(void)state;
	unlink(file);
	unlink(moved);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_close();
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a decision is one JSON line with all its fields", test_decision, NULL, clear, NULL },
		{ "a redacted record holds no statement text", test_redact, NULL, clear, NULL },
		{ "a completion tells rows, bytes, time and SQLSTATE", test_done, NULL, clear, NULL },
		{ "records come in the order of the calls", test_order, NULL, clear, NULL },
		{ "what is in the file stays", test_append, NULL, clear, NULL },
		{ "a full queue refuses decisions, not completions", test_full, NULL, clear, NULL },
		{ "with on_failure count a full queue loses records and counts them", test_full_counted, NULL, clear, NULL },
		{ "a full disk refuses decisions", test_failing, NULL, clear, NULL },
		{ "after a rotation the new file is written", test_rotation, NULL, clear, NULL },
		{ "without an audit file everything is true", test_none, NULL, clear, NULL },
		{ "a file that cannot be opened is named", test_cannot_open, NULL, clear, NULL },
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
