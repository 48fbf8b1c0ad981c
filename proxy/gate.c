#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "quota.h"
#include "refresh.h"

struct audit_who
gate_who(const struct session *s)
{
	return (struct audit_who){
		.session = s->id,
		.principal = &s->principal,
		.profile = s->profile != NULL ? profile_name(s->profile) : "",
	};
}

static void
put_error(struct session *s, const struct msg_error *e)
{
	msg_write_error(&s->out, 'E', e);
}

void
gate_refusal(struct session *s, const struct judgement *j)
{
	put_error(s, &(struct msg_error){ .severity = "ERROR",
			 .sqlstate = j->sqlstate,
			 .message = j->message,
			 .detail = j->detail,
			 .hint = j->hint,
			 .position = j->position });
}

/* Names that clients make up are bytes; what we say is UTF-8, however it was cut. */
static void
clean(char *text)
{
	if (utf8_valid(text, strlen(text)))
		return;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
}

/* What no judgement refused is written down all the same. */
static void
record_refusal(struct session *s, const char *text)
{
	struct audit_who who = gate_who(s);

	audit_event(s->worker->gateway->audit, &who, "refusal", text);
}

void
gate_error(struct session *s, const char *sqlstate, enum rule rule, const char *hint, const char *fmt, ...)
{
	struct sb message = { 0 }, detail = { 0 };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clean(text);
	record_refusal(s, text);
	sb_str(&message, text);
	if (rule != RULE_NONE)
		sb_fmt(&detail, "rule %s, profile %s (%s)", rule_name(rule), profile_name(s->profile), policy_title(s->policy));
	put_error(s, &(struct msg_error){ .severity = "ERROR",
			 .sqlstate = sqlstate,
			 .message = sb_text(&message),
			 .detail = sb_text(&detail),
			 .hint = hint });
	sb_free(&message);
	sb_free(&detail);
}

/* --- the policy of the next transaction --------------------------------- */

static void
append_setting(void *arg, const char *name, const char *value)
{
	struct sb *all = arg;

	sb_fmt(all, "%s=%s\n", name, value);
}

static void
wipe(struct sb *sb)
{
	if (sb->text != NULL)
		explicit_bzero(sb->text, sb->room);
	sb_free(sb);
}

/* What a server connection is started with cannot be changed on it in a way
 * that the client could not undo (RESET goes back to the startup packet). */
static bool
same_pins(const struct profile *a, const struct profile *b, const struct principal *who)
{
	struct sb pins_a = { 0 }, pins_b = { 0 };
	bool same;

	profile_pinned(a, append_setting, &pins_a);
	profile_pinned(b, append_setting, &pins_b);
	session_settings(a, who, append_setting, &pins_a);
	session_settings(b, who, append_setting, &pins_b);
	same = profile_mode(a) == profile_mode(b) && strcmp(sb_text(&pins_a), sb_text(&pins_b)) == 0;
	wipe(&pins_a); /* the mask key */
	wipe(&pins_b);
	return same;
}

bool
gate_refresh(struct session *s)
{
	const struct profile *fresh;

	if (s->policy == s->worker->policy || s->status != 'I' || s->unsynced || s->owed.count > 0)
		return true;
	fresh = policy_assign(s->worker->policy, &s->principal);
	if (!same_pins(s->profile, fresh, &s->principal)) {
		session_fatal(
		    s, "57P01", "Connect again.", "the policy was reloaded and this connection was opened under other settings");
		return false;
	}
	policy_unref(s->policy);
	s->policy = policy_ref(s->worker->policy);
	s->profile = fresh;
	s->limits = profile_limits(fresh);
	s->enforce = profile_mode(fresh) == MODE_ENFORCE;
	rights_unref(s->rights);
	s->rights = NULL;
	refresh_enter(s);
	quota_open(s);
	log_debug(s->id, "policy of the next transaction: %s, profile %s", policy_source(s->policy), profile_name(fresh));
	return true;
}

/* --- verdicts ----------------------------------------------------------- */

static void
audit_lost_error(struct session *s)
{
	gate_error(s, "58030", RULE_NONE, "Ask the operator of pgmoat: the audit log cannot be written.",
	    "refused: the audit record could not be written");
}

/* Without the catalog that the profile needs, nobody knows what a text would
 * do; what speaks about the session alone may be said all the same. */
static bool
needs_no_catalog(const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++)
		switch (j->statements[i].kind) {
		case KIND_EMPTY:
		case KIND_SHOW:
		case KIND_SET:
		case KIND_TRANSACTION:
			continue;
		default:
			return false;
		}
	return true;
}

static struct judgement *
judge(
    struct session *s, const char *text, size_t len, unsigned flags, const uint32_t *types, size_t ntypes, bool last, bool *refused)
{
	struct audit_who who = gate_who(s);
	struct judgement *j;
	struct rights *rights;
	struct err missing;

	*refused = false;
	if (profile_mode(s->profile) == MODE_OFF)
		return NULL;
	rights = refresh_rights(s, &missing);
	j = cache_judge(s->worker->cache, rights, text, len, flags, types, ntypes);
	*refused = j->verdict == VERDICT_BLOCK && s->enforce;
	if (*refused && j->unknown && !last && !refresh_unknown(s)) {
		judgement_unref(j);
		return NULL;
	}
	if (!*refused && s->enforce && missing.text[0] != '\0' && !needs_no_catalog(j)) {
		*refused = true;
		gate_error(s, "58000", RULE_NONE, "Try again; if it stays so, ask the operator of pgmoat.",
		    "refused: the database's catalog could not be read: %s", missing.text);
		return j;
	}
	if (*refused || flags & JUDGE_EXTENDED)
		if (!audit_decision(
			s->worker->gateway->audit, &who, flags & JUDGE_EXTENDED ? "parse" : "query", s->number, j, !s->enforce) &&
		    !*refused) {
			*refused = true;
			audit_lost_error(s);
			return j;
		}
	if (*refused)
		gate_refusal(s, j);
	return j;
}

struct judgement *
gate_judge(struct session *s, const char *text, size_t len, unsigned flags, const uint32_t *types, size_t ntypes, bool *refused)
{
	return judge(s, text, len, flags, types, ntypes, false, refused);
}

struct judgement *
gate_judge_again(
    struct session *s, const char *text, size_t len, unsigned flags, const uint32_t *types, size_t ntypes, bool *refused)
{
	return judge(s, text, len, flags, types, ntypes, true, refused);
}

bool
gate_judged_alike(struct session *s, const struct judgement *j)
{
	struct err missing;

	return j->generation == policy_generation(s->policy) && j->rights == rights_generation(refresh_rights(s, &missing));
}

bool
gate_record(struct session *s, struct judgement *j, const char *event, uint64_t number)
{
	struct audit_who who = gate_who(s);

	if (j == NULL || audit_decision(s->worker->gateway->audit, &who, event, number, j, !s->enforce))
		return true;
	audit_lost_error(s);
	return false;
}

/* A cursor may have gone with its savepoint or its transaction, unseen by us:
 * whether there is still one of that name, the server knows. */
static bool
server_decides(const struct judgement *j, const char *sqlstate)
{
	return j->nstatements == 1 && strcmp(sqlstate, "42P03") == 0;
}

bool
gate_admit(struct session *s, struct judgement *j, const char *event, uint64_t number)
{
	char sqlstate[6];
	struct err why;

	if (j == NULL)
		return true;
	if (s->enforce && !names_check(s->names, j, sqlstate, &why) && !server_decides(j, sqlstate)) {
		gate_error(s, sqlstate, RULE_NONE, NULL, "%s", why.text);
		return false;
	}
	if (!gate_record(s, j, event, number))
		return false;
	names_apply(s->names, j, number);
	return true;
}

bool
gate_function_call(struct session *s)
{
	struct audit_who who = gate_who(s);
	bool written;

	if (profile_mode(s->profile) == MODE_OFF)
		return true;
	written = audit_event(s->worker->gateway->audit, &who, "function_call", s->enforce ? "refused" : "observed");
	if (s->enforce)
		gate_error(s, "42501", RULE_PROTOCOL, "Call the function in a SELECT.", "FunctionCall messages are refused");
	else if (!written)
		audit_lost_error(s);
	return !s->enforce && written;
}

/* --- what parameters set ------------------------------------------------ */

#define OID_TEXT 25
#define OID_UNKNOWN 705
#define OID_VARCHAR 1043

static uint32_t
type_of(unsigned param, uint16_t ntypes, const uint8_t *types)
{
	struct wire_reader r;

	if (param == 0 || param > ntypes)
		return 0;
	wire_reader_init(&r, types + (param - 1) * (size_t)4, 4);
	return wire_u32(&r);
}

static bool
is_text(uint32_t type)
{
	return type == 0 || type == OID_TEXT || type == OID_UNKNOWN || type == OID_VARCHAR;
}

bool
gate_types(struct session *s, const struct judgement *j, uint16_t ntypes, const uint8_t *types)
{
	const struct bound_setting *b;
	size_t i;

	for (i = 0; s->enforce && j != NULL && i < j->nbound_settings; i++) {
		b = &j->bound_settings[i];
		if (!is_text(type_of(b->name_param, ntypes, types)) || !is_text(type_of(b->value_param, ntypes, types))) {
			gate_error(s, "42501", RULE_FUNCTION_DENIED, "Give set_config() text.",
			    "call of set_config refused: a parameter is not text");
			return false;
		}
	}
	return true;
}

/* NULL stands for SET ... TO DEFAULT, as in set_config(). False: not there, or not text. */
static bool
bound_text(const uint8_t *body, size_t len, unsigned param, const char *constant, char **text)
{
	const uint8_t *value;
	int32_t n;

	*text = NULL;
	if (param == 0) {
		*text = xstrdup(constant);
		return true;
	}
	if (!msg_bind_value(body, len, param, &value, &n) || n > 1024)
		return false;
	if (n >= 0)
		*text = xstrndup((const char *)value, (size_t)n);
	return n < 0 || utf8_valid(*text, (size_t)n);
}

static bool
judge_bound(struct session *s, const struct bound_setting *b, const uint8_t *body, size_t len)
{
	char *name = NULL, *value = NULL;
	struct err why = { "the name and the value must be short texts" };
	bool pass;

	pass = bound_text(body, len, b->name_param, b->name, &name) && bound_text(body, len, b->value_param, b->value, &value) &&
	       name != NULL && profile_judge_setting(s->profile, name, value, &why) == SETTING_PASS;
	if (!pass)
		gate_error(s, "42501", RULE_SETTING_DENIED, NULL, "set_config of %.63s refused: %s", name != NULL ? name : "NULL",
		    why.text);
	free(name);
	free(value);
	return pass;
}

bool
gate_bind(struct session *s, const struct judgement *j, const uint8_t *body, size_t len)
{
	size_t i;

	for (i = 0; s->enforce && j != NULL && i < j->nbound_settings; i++)
		if (!judge_bound(s, &j->bound_settings[i], body, len))
			return false;
	return true;
}
