/* policy/profile.h - a profile as loaded, and the questions the judge asks it.
 *
 * policy/load.c fills these structs from the file (and from the built-in
 * policy, which is a policy file in a C string); the judge reads them. All of
 * it is immutable once loaded. No PostgreSQL header is needed here.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include "policy.h"

enum multi_statement { MULTI_DENY, MULTI_HANDSHAKE, MULTI_EACH };

struct string_list {
	bool	  set;		/* the key was there: an empty list allows nothing, an absent one restricts nothing */
	char	**items;
	size_t	  n;
};

struct table_pattern {
	char		*schema, *name;	/* globs, already folded; schema "*" when the entry had none */
	unsigned	 access;	/* enum access, or-ed */
};

struct function_pattern {
	char		*schema;	/* glob; NULL: any schema but as written */
	char		*name;		/* glob */
	int		 nargs;		/* -1: any */
	char		*signature;	/* as written between the parentheses, NULL when none */
	char		*extension;	/* "extension:pg_trgm"; then the rest is unset */
};

enum writes_mode { WRITES_DENY, WRITES_ALLOW };

enum column_action { COLUMN_OPEN, COLUMN_DENY, COLUMN_MASK };
enum mask_kind { MASK_NULL, MASK_REDACT, MASK_HASH, MASK_PARTIAL, MASK_EXPRESSION };

struct column_rule {
	char			*schema, *table, *column;	/* globs, already folded */
	enum column_action	 action;			/* deny or mask */
	enum mask_kind		 mask;
	char			*expression;			/* MASK_EXPRESSION: SQL over the row's columns; else NULL */
};

struct row_filter {
	char	*schema, *table;	/* globs, already folded */
	char	*where;			/* SQL condition over the row's columns */
};

struct session_setting {
	char	*name;			/* with a dot: app.user_id */
	char	*value;			/* ${user}, ${database}, ${application_name}, ${client}, ${profile} are replaced; $$ is a dollar */
};

struct profile {
	char			*name;
	enum policy_mode	 mode;
	bool			 read_only;
	uint32_t		 statements_allow;	/* bit 1u << enum statement_kind; all ones when the key is absent */
	uint32_t		 statements_deny;
	enum multi_statement	 multi;
	struct string_list	 schemas_allow, schemas_deny;		/* globs */
	bool			 tables_allow_set;
	struct table_pattern	*tables_allow, *tables_deny;
	size_t			 ntables_allow, ntables_deny;
	bool			 functions_allow_set;			/* absent and empty mean the same here: built-ins only */
	struct function_pattern	*functions_allow, *functions_deny;
	size_t			 nfunctions_allow, nfunctions_deny;
	bool			 volatile_allow;	/* functions.volatile: "allow" */
	bool			 user_defined_allow;	/* functions.user_defined: "allow" */
	struct string_list	 settings_allow;
	struct string_list	 search_path;		/* default: "$user", public as ["public"] */
	enum writes_mode	 writes;
	bool			 require_where;
	struct column_rule	*columns;		/* in the order of the file; the first that fits a column rules */
	size_t			 ncolumns;
	struct row_filter	*row_filters;		/* all that fit a table hold */
	size_t			 nrow_filters;
	struct session_setting	*session;
	size_t			 nsession;
	char			*mask_key;		/* of MASK_HASH; NULL: none was given */
	struct limits		 limits;
	char			*hints[RULE_PROTOCOL + 1];		/* by rule; NULL: the default hint */
};

/* Case-sensitive glob: * and ?; no escapes. */
bool	glob_match(const char *pattern, const char *text);

enum name_answer { NAME_OPEN, NAME_DENIED_SCHEMA, NAME_DENIED_TABLE };

/* May this relation be accessed so? schema NULL or "": unqualified, resolved along
 * pg_catalog and the profile's search_path without a catalog: refused when any
 * candidate is. resolved (may be NULL) gets the schema it most likely is.
 * Leaking system catalogs are refused as NAME_DENIED_TABLE unless tables.allow
 * names them exactly. */
enum name_answer	profile_relation(const struct profile *, const char *schema, const char *name, unsigned access,
			    const char **resolved);

/* Does tables.allow name it letter by letter, for all of that access? So a view over closed tables is opened. */
bool	profile_relation_named(const struct profile *, const char *schema, const char *name, unsigned access);

/* Closed by a deny list, whatever else is allowed: that goes over to children by inheritance and to partitions. */
bool	profile_relation_closed(const struct profile *, const char *schema, const char *name, unsigned access);

/* Is the schema on schemas.deny? May its objects be named at all (PostgreSQL's own need no word in schemas.allow)? */
bool	profile_schema_denied(const struct profile *, const char *schema);
bool	profile_schema_open(const struct profile *, const char *schema);

enum function_answer {
	FUNCTION_OPEN,
	FUNCTION_DENIED,	/* a built-in that we refuse, or functions.deny */
	FUNCTION_VOLATILE,	/* a volatile built-in that is not on the harmless list */
	FUNCTION_USER		/* not a built-in, and not allowed by name */
};

/* May a function of that name be called? nargs -1: unknown. schema NULL or "":
 * unqualified. variadic or named arguments: nargs counts what is written;
 * defaults may add more. why (may be NULL): short reason, static storage. */
enum function_answer	profile_function(const struct profile *, const char *schema, const char *name, int nargs, const char **why);

/* Attribute notation: could value.name be a call of a function that
 * profile_function() refuses, with one argument written? User-defined ones
 * cannot be known without the catalog and answer false; so does the name of a
 * harmless function. */
bool	profile_attribute_refused(const struct profile *, const char *name);

/* Judges SHOW name and current_setting(name). name NULL: it is computed, and could be any. */
enum setting_verdict	profile_judge_shown(const struct profile *, const char *name, struct err *why);

/* Is this the name of a relation in pg_catalog of any supported version? */
bool	catalog_relation(const char *name);

/* The default hint for a rule when the profile has none of its own; what the profile would allow. */
const char	*profile_hint(const struct profile *, enum rule);

#endif
