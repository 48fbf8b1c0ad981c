/* include/policy.h - the whole face of the policy library.
 *
 * SQL text and a profile in; facts, verdict, rewritten text and reasons out.
 * The library has no sockets, clock, log or globals that change; the proxy,
 * `pgmoat check`, the tests, the fuzzers and the benchmarks call this same
 * face, so that a dry run cannot differ from the real thing.
 *
 * Threads: a struct policy is immutable and may be shared; its reference
 * count is atomic. A judgement, a names table and a cache belong to one
 * thread.
 */
#ifndef POLICY_H
#define POLICY_H

#include "base.h"

/* --- the policy file --------------------------------------------------- */

#define POLICY_SIZE_MAX	((size_t)4 << 20)

struct policy;
struct profile;

enum policy_mode { MODE_OFF, MODE_OBSERVE, MODE_ENFORCE };
enum on_cap { ON_CAP_NOTICE, ON_CAP_ERROR };

/* What one client may consume. 0 means: no limit of ours. */
struct limits {
	int64_t		max_rows;			/* of one result */
	int64_t		max_result_bytes;		/* of one result, DataRow and CopyData bodies */
	enum on_cap	on_cap;
	int64_t		statement_timeout;		/* this and the next three: milliseconds */
	int64_t		lock_timeout;
	int64_t		idle_in_transaction_timeout;
	int64_t		transaction_timeout;
	int64_t		max_query_bytes;
	int64_t		max_query_depth;
	double		max_plan_cost;			/* of the planner's total cost */
	int64_t		rate_per_minute;		/* statements of one principal */
	int64_t		burst;				/* of these at once; never 0 where there is a rate */
	int64_t		max_concurrent;			/* statements of one principal that run at a time */
	int64_t		max_affected_rows;		/* of one INSERT, UPDATE, DELETE or MERGE */
};

/* Who asks. Borrowed strings, never NULL ("" when unknown). */
struct principal {
	const char	*user;
	const char	*database;
	const char	*application_name;
	const char	*client;	/* numeric address, or "unix" */
};

/* Both answer NULL when the file does not load, with every error of the file
 * in errors, one "file:line:column: path: reason" a line. */
struct policy	*policy_load(const char *path, struct sb *errors);
struct policy	*policy_parse(const char *name, const char *text, size_t, struct sb *errors);
struct policy	*policy_builtin(void);		/* what applies without a file */
struct policy	*policy_ref(struct policy *);
void		 policy_unref(struct policy *);
uint64_t	 policy_generation(const struct policy *);	/* differs for every policy loaded by this process */
const char	*policy_source(const struct policy *);		/* path of the file, or "built-in policy" */
const char	*policy_title(const struct policy *);		/* the same for clients: without the directory */

/* First matching assignment, else the default profile. Lives as long as the policy. */
const struct profile	*policy_assign(const struct policy *, const struct principal *);
const struct profile	*policy_profile(const struct policy *, const char *name);	/* NULL when there is none */
const struct profile	*policy_default_profile(const struct policy *);

const char		*profile_name(const struct profile *);
enum policy_mode	 profile_mode(const struct profile *);
bool			 profile_read_only(const struct profile *);
/* False: it restricts nothing that only the database could tell. */
bool			 profile_needs_catalog(const struct profile *);
const char		*profile_mask_key(const struct profile *);	/* NULL: none */
const struct limits	*profile_limits(const struct profile *);
bool			 profile_hides(const struct profile *);	/* columns or rows: what only the catalog can keep */

/* --- settings ---------------------------------------------------------- */

enum setting_verdict {
	SETTING_PASS,		/* may be set to this value */
	SETTING_REFUSED		/* why says so */
};

/* Judges SET name = value; used for SET, set_config() with constants and the
 * startup packet alike. value NULL means DEFAULT (or RESET). */
enum setting_verdict	profile_judge_setting(const struct profile *, const char *name, const char *value, struct err *why);

/* Calls f for every setting that a server connection must be started with
 * (the second lock): read-only default, standard_conforming_strings,
 * client_encoding, search_path, timeouts... Names and values are in the form
 * of startup parameters. */
void	profile_pinned(const struct profile *, void (*f)(void *arg, const char *name, const char *value), void *arg);

/* The file names no search_path: PostgreSQL's own applies, "$user", public. The
 * first of these is the login's, so profile_pinned() leaves it out. */
bool	profile_path_is_default(const struct profile *);

/* Calls f for every setting of "session": values with their variables
 * replaced. The client may not change them. */
void	profile_session(const struct profile *, const struct principal *, void (*f)(void *arg, const char *name, const char *value),
	    void *arg);

/* --- judging ----------------------------------------------------------- */

/* In the text of a server's error: an expression of ours has raised it, on a row that may not be seen. */
#define GUARD_MARKER " pgmoat:restricted"

enum verdict { VERDICT_ALLOW, VERDICT_REWRITE, VERDICT_BLOCK };

/* Stable names; rule_name() spells them as POLICY.md does. */
enum rule {
	RULE_NONE, RULE_PARSE_ERROR, RULE_MULTI_STATEMENT, RULE_STATEMENT_NOT_ALLOWED, RULE_READ_ONLY,
	RULE_LOCKING_SELECT, RULE_WHERELESS_WRITE, RULE_SCHEMA_DENIED, RULE_TABLE_DENIED, RULE_COLUMN_DENIED,
	RULE_FUNCTION_DENIED, RULE_SETTING_DENIED, RULE_UNKNOWN_OBJECT, RULE_TOO_LONG, RULE_TOO_DEEP,
	RULE_PLAN_COST, RULE_RATE_LIMITED, RULE_ROW_CAP, RULE_ENCODING, RULE_PROTOCOL
};

const char	*rule_name(enum rule);		/* "none", "parse_error", ... */
const char	*verdict_name(enum verdict);	/* "allow", "rewrite", "block" */

/* The words of "statements" in the policy file, and what is outside them. */
enum statement_kind {
	KIND_EMPTY, KIND_SELECT, KIND_INSERT, KIND_UPDATE, KIND_DELETE, KIND_MERGE, KIND_COPY_TO, KIND_COPY_FROM,
	KIND_DDL, KIND_CALL, KIND_DO, KIND_EXPLAIN, KIND_SHOW, KIND_SET, KIND_TRANSACTION, KIND_CURSOR, KIND_PREPARE,
	KIND_LISTEN, KIND_LOCK, KIND_MAINTENANCE, KIND_UNKNOWN, KIND_COUNT
};

const char	*kind_name(enum statement_kind);	/* "select", "copy_to", ...; "empty", "unknown" */

/* What a statement does to the names of a session (prepared statements and
 * portals; a cursor is a portal). */
enum name_effect {
	NAME_NONE,
	NAME_PREPARE, NAME_EXECUTE, NAME_DEALLOCATE, NAME_DEALLOCATE_ALL,
	NAME_DECLARE, NAME_DECLARE_HOLD, NAME_FETCH, NAME_CLOSE, NAME_CLOSE_ALL,
	NAME_DISCARD_ALL		/* statements and portals both */
};

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2 };

struct used_relation {
	char	*schema;		/* as resolved or written; "" when unknown */
	char	*name;
	unsigned access;		/* enum access, or-ed */
};

struct judged_statement {
	enum statement_kind	 kind;
	enum name_effect	 effect;
	char			*name;		/* what the effect is about, cut to 63 bytes; NULL when it has none */
	bool			 limited;	/* its text was given LIMIT max_rows + 1, or cannot return more: no cancel needed at the cap */
	bool			 copy_in;	/* COPY FROM STDIN: the client may send CopyData */
	bool			 copy_out;	/* COPY TO STDOUT */
	bool			 begins, ends;	/* transaction block: BEGIN..., COMMIT/ROLLBACK... */
};

/* set_config($1, $2, false): what it sets is known when the parameters are.
 * The caller asks profile_judge_setting() before it forwards the Bind. Only
 * under JUDGE_EXTENDED. */
struct bound_setting {
	unsigned		 name_param;	/* from 1; 0: name is constant */
	unsigned		 value_param;	/* from 1; 0: value is constant */
	char			*name, *value;	/* NULL where a parameter stands */
};

/* Immutable once made. All strings owned. */
struct judgement {
	unsigned		 refs;
	enum verdict		 verdict;
	enum rule		 rule;		/* RULE_NONE unless blocked */
	char			 sqlstate[6];	/* of the refusal: 42501, 42601... */
	char			*message;	/* refusal: what was refused; else NULL */
	char			*detail;	/* refusal: rule and reason */
	char			*hint;		/* refusal: what would be allowed; may be NULL */
	int			 position;	/* refusal: 1-based, in characters of the text; 0 unknown */

	char			*text;		/* as the client sent it; NUL-terminated */
	size_t			 text_len;
	char			*rewritten;	/* what to forward; NULL when it is the text itself */
	size_t			 rewritten_len;
	struct splice		*splices;	/* how text became rewritten; see judgement_position() */
	size_t			 nsplices;
	char			*notice;	/* for the client when this runs, e.g. READ WRITE became READ ONLY; may be NULL */

	struct judged_statement	*statements;	/* as many as the text holds; none when it did not parse */
	size_t			 nstatements;
	struct used_relation	*relations;
	size_t			 nrelations;
	char			**functions;	/* as written, lower case, schema-qualified where the text is */
	size_t			 nfunctions;
	char			**settings;
	size_t			 nsettings;
	char			**reached;	/* schema.name of users' functions that it runs, called or not; needs a catalog */
	size_t			 nreached;
	struct bound_setting	*bound_settings;	/* set_config() calls that Bind decides */
	size_t			 nbound_settings;
	const char		*profile;	/* owned copy of the profile's name */
	uint64_t		 generation;	/* of the policy that judged */
	uint64_t		 rights;	/* rights_generation() of what it was judged under */
	bool			 unknown;	/* refused since the catalog does not know a name: refresh it and judge again */
	bool			 guarded;	/* reads what columns or rows were taken from: details of errors are not for the client */
	bool			 changes_catalog; /* DDL and the like: the catalog is old when this has run */
	bool			 sets_search_path; /* changes the path that later texts are judged under */
};

struct splice {
	size_t	at;		/* byte in the client's text */
	size_t	removed;	/* bytes of it that went */
	size_t	added;		/* bytes that came instead */
};

enum judge_flags {
	JUDGE_SIMPLE	= 0,		/* a Query message: may hold several statements */
	JUDGE_EXTENDED	= 1 << 0	/* a Parse message: one at most, as PostgreSQL says */
};

/* Judges one message's text under one profile. Never NULL: what cannot be
 * judged is blocked. text need not be terminated but must not hold a NUL
 * byte; bytes that are not UTF-8 are refused (RULE_ENCODING). Mode is not
 * looked at: under observe the caller forwards the text all the same. */
struct judgement	*policy_judge(const struct policy *, const struct profile *, const char *text, size_t, unsigned flags);

/* The same with the database's catalog (NULL: without), under a search_path
 * (NULL: the profile's own). What is looked up is remembered in the rights;
 * one thread. types: the parameter types of a Parse message, 0 where it left
 * them open. */
struct catalog;
struct rights;

struct rights	*rights_new(struct policy *, const struct profile *, struct catalog *, const char *search_path);
struct rights	*rights_ref(struct rights *);
void		 rights_unref(struct rights *);			/* NULL is fine */
/* The login is a superuser: row-level security does not hold it, so tables that
 * have some are closed unless tables.allow names them. Before the first question. */
void		 rights_unbound(struct rights *);
uint64_t	 rights_generation(const struct rights *);	/* differs for every one of this process */

struct judgement	*rights_judge(struct rights *, const char *text, size_t, unsigned flags, const uint32_t *types, size_t ntypes);

struct judgement	*judgement_ref(struct judgement *);
void			 judgement_unref(struct judgement *);

/* Translates an error position (characters, from 1) in the rewritten text to
 * the client's own text; positions inside what we added become the place
 * where it was added. Without a rewrite: the same number. */
int	judgement_position(const struct judgement *, int position);

/* The judgement as one JSON object, without the braces: "verdict": ...,
 * "rule": ..., "reason": ..., "hint": ..., facts. Text only when with_text. */
void	judgement_json(const struct judgement *, struct sb *, bool with_text);

/* Does the library that is linked agree with the headers we were built with?
 * Parses statements whose tree is known and compares. Run once at start;
 * false means: do not run. */
bool	policy_selftest(struct err *);
const char *policy_grammar_version(void);	/* "PostgreSQL 15.1 grammar (libpg_query 15-4.0.0)" or so */

/* --- names of a session ------------------------------------------------ */

/* One table for what SQL and the wire protocol name, since the server has
 * one: PREPARE and Parse, DECLARE and Bind meet here. Names are cut at 63
 * bytes as the server cuts them. */
struct names;

struct named {			/* one prepared statement or portal; borrowed until the next change of the table */
	struct judgement	*judgement;	/* one reference: what was judged when it was defined */
	size_t			 statement;	/* which statement of it */
	uint64_t		 owner;		/* the caller's number for the message that defined it */
	bool			 hold;		/* portal outlives its transaction */
	bool			 sql;		/* defined by SQL (PREPARE, DECLARE), not by the wire */
	struct tally		*tally;		/* portal: one reference; NULL for statements */
	uint32_t		*types;		/* owned; statement: of the parameters that its Parse gave; NULL */
	size_t			 ntypes;
};

/* What a portal has given so far, in however many pieces; the caller counts.
 * Outlives the name: answers may still come when that was closed or bound anew. */
struct tally {
	unsigned	refs;
	int64_t		rows, bytes;
};

struct tally	*tally_new(void);
struct tally	*tally_ref(struct tally *);
void		 tally_unref(struct tally *);	/* NULL is fine */

#define NAMES_MAX	10000	/* of each sort, in one session */

struct names	*names_new(void);
void		 names_free(struct names *);

/* Would these statements only use names that the session knows? On false,
 * sqlstate, message and hint say what is missing (26000, 34000) or already
 * there (42P05). Statements of one text see each other's names in order. */
bool		 names_check(const struct names *, const struct judgement *, char sqlstate[6], struct err *message);
/* Applies the effects of what is about to be forwarded. owner tags what is defined. */
void		 names_apply(struct names *, struct judgement *, uint64_t owner);

/* The wire protocol's own definitions. "" is the unnamed one. False: table full. */
bool		 names_set_statement(struct names *, const char *name, struct judgement *, size_t statement, uint64_t owner);
bool		 names_set_portal(struct names *, const char *name, struct judgement *, size_t statement, uint64_t owner);
/* What it was prepared with; copies. False: there is no room for it, and the statement is gone. */
bool		 names_set_types(struct names *, const char *name, const uint32_t *types, size_t);
struct named	*names_statement(struct names *, const char *name);	/* NULL when unknown */
struct named	*names_portal(struct names *, const char *name);
void		 names_close_statement(struct names *, const char *name);
void		 names_close_portal(struct names *, const char *name);

void		 names_failed(struct names *, uint64_t owner);		/* the message with that number failed: what it defined is not there */
void		 names_transaction_end(struct names *, uint64_t upto);	/* portals defined by messages <= upto are gone, unless hold */

/* --- cache ------------------------------------------------------------- */

/* Judgements by exact text, flags, parameter types and rights. Bounded in
 * entries and bytes, least recently used out. Same answers as
 * rights_judge(), which it calls on a miss. Texts longer than 16 kB are
 * judged without it. */
struct cache;

struct cache		*cache_new(size_t entries, size_t bytes);
void			 cache_free(struct cache *);
struct judgement	*cache_judge(struct cache *, struct rights *, const char *text, size_t, unsigned flags,
			    const uint32_t *types, size_t ntypes);	/* a reference of the caller's own */
void			 cache_counts(const struct cache *, uint64_t *hits, uint64_t *misses);

#endif
