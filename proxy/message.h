/* proxy/message.h - one reader and one writer per protocol message, side by side.
 *
 * Readers take the body of a message (without type and length) and answer
 * false when it is not exactly such a message; what they fill in borrows the
 * body. Writers append whole messages to a wire_writer. No state, no sockets,
 * no policy.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "wire.h"

/* --- before login ------------------------------------------------------- */

#define PROTOCOL(major, minor)	((uint32_t)(major) << 16 | (minor))
#define CODE_CANCEL	PROTOCOL(1234, 5678)
#define CODE_SSL	PROTOCOL(1234, 5679)
#define CODE_GSSENC	PROTOCOL(1234, 5680)
#define STARTUP_MAX	10000		/* PostgreSQL's MAX_STARTUP_PACKET_LENGTH */
#define STARTUP_PARAMS_MAX 64

struct startup_param { const char *name, *value; };

struct startup {			/* borrows the packet */
	uint32_t		 version;	/* or one of the codes above */
	struct startup_param	 params[STARTUP_PARAMS_MAX];
	size_t			 nparams;
	/* CancelRequest */
	uint32_t		 pid;
	const uint8_t		*key;
	size_t			 key_len;	/* 4 to 256 bytes */
};

/* The body behind the four length bytes. Refuses: repeated names, more than
 * STARTUP_PARAMS_MAX, bytes behind the final NUL, SSL and GSSENC requests with
 * a body, cancel keys outside 4..256 bytes. why names the reason. */
bool	startup_read(const uint8_t *, size_t, struct startup *, struct err *why);
const char *startup_get(const struct startup *, const char *name);	/* NULL when absent */
void	startup_write(struct wire_writer *, uint32_t version, const struct startup_param *, size_t);
void	cancel_write(struct wire_writer *, uint32_t pid, const uint8_t *key, size_t);

/* `options` as PostgreSQL's pg_split_opts() takes it apart (backslash
 * escapes, blanks), then -c name=value, -cname=value and --name=value, dashes
 * in names turned to underscores. Each setting goes to f; f answering false
 * stops. False with why: any other switch, or no "=". The strings live during the call. */
bool	options_read(const char *options, bool (*f)(void *arg, const char *name, const char *value), void *arg, struct err *why);
/* The other way: appends -c name=value, escaped. */
void	options_append(struct sb *, const char *name, const char *value);

/* --- from the client ---------------------------------------------------- */

struct msg_query { const char *text; size_t len; };			/* 'Q'; len without the NUL */
struct msg_parse { const char *name, *text; size_t len; uint16_t ntypes; const uint8_t *types; };	/* 'P' */
struct msg_bind { const char *portal, *statement; uint16_t nparams; };	/* 'B'; whole message checked: counts, lengths >= -1, formats 0 or 1,
									   0, 1 or as many formats as parameters */
struct msg_describe { char kind; const char *name; };			/* 'D' and 'C': kind 'S' or 'P' */
struct msg_execute { const char *portal; int32_t max_rows; };		/* 'E'; <= 0: all */

bool	msg_read_query(const uint8_t *, size_t, struct msg_query *);	/* a NUL inside the text is refused */
bool	msg_read_parse(const uint8_t *, size_t, struct msg_parse *);
bool	msg_read_bind(const uint8_t *, size_t, struct msg_bind *);
/* The value of parameter number (from 1) of a Bind that msg_read_bind() took; *len -1: NULL. False: there is none. */
bool	msg_bind_value(const uint8_t *, size_t, unsigned number, const uint8_t **value, int32_t *len);
bool	msg_read_describe(const uint8_t *, size_t, struct msg_describe *);
bool	msg_read_execute(const uint8_t *, size_t, struct msg_execute *);

void	msg_write_query(struct wire_writer *, const char *text, size_t);
void	msg_write_parse(struct wire_writer *, const char *name, const char *text, size_t, uint16_t ntypes, const uint8_t *types);
void	msg_write_execute(struct wire_writer *, const char *portal, int32_t max_rows);
void	msg_write_close(struct wire_writer *, char kind, const char *name);
/* A Bind that msg_read_bind() took, under other names and with its results as text. */
void	msg_copy_bind(struct wire_writer *, const char *portal, const char *statement, const uint8_t *, size_t);
void	msg_write_sync(struct wire_writer *);
void	msg_write_flush(struct wire_writer *);
void	msg_write_terminate(struct wire_writer *);
void	msg_write_password(struct wire_writer *, const char *);		/* 'p' */

/* --- to the client ------------------------------------------------------ */

struct msg_error {			/* ErrorResponse and NoticeResponse; missing fields are "" */
	const char	*severity;	/* V, else S */
	const char	*sqlstate;	/* C */
	const char	*message;	/* M */
	const char	*detail;	/* D */
	const char	*hint;		/* H */
	int		 position;	/* P; 0 when absent */
};

bool	msg_read_error(const uint8_t *, size_t, struct msg_error *);	/* false: not terminated; what was there is filled in */
void	msg_write_error(struct wire_writer *, char type, const struct msg_error *);	/* type 'E' or 'N'; NULL or "" fields left out,
									   S and V both from severity */
/* A server's error with its position replaced (0: field dropped); all else kept. False: body malformed, nothing appended. */
bool	msg_copy_error(struct wire_writer *, char type, const uint8_t *, size_t, int position);
/* The same without the fields of those codes. */
bool	msg_copy_error_without(struct wire_writer *, char type, const uint8_t *, size_t, int position, const char *codes);

void	msg_write_ready(struct wire_writer *, char status);		/* 'Z' */
void	msg_write_key(struct wire_writer *, uint32_t pid, const uint8_t *key, size_t);	/* 'K' */
void	msg_write_parameter(struct wire_writer *, const char *name, const char *value);	/* 'S' */
void	msg_write_negotiate(struct wire_writer *, uint32_t newest, const char *const *unknown, size_t);	/* 'v' */
void	msg_write_complete(struct wire_writer *, const char *tag);	/* 'C' */
void	msg_write_copy_done(struct wire_writer *);			/* 'c' */

enum auth_code { AUTH_OK = 0, AUTH_CLEARTEXT = 3, AUTH_MD5 = 5, AUTH_GSS = 7, AUTH_GSS_CONTINUE = 8, AUTH_SSPI = 9,
	AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };
void	msg_write_auth(struct wire_writer *, enum auth_code);		/* OK and CLEARTEXT */
bool	msg_read_auth(const uint8_t *, size_t, uint32_t *code);
/* AuthenticationSASL rewritten without the -PLUS mechanisms. plus: one was there; *left: how many remain. */
bool	msg_copy_sasl(struct wire_writer *, const uint8_t *, size_t, bool *plus, size_t *left);
/* SASLInitialResponse: mechanism and the gs2 flag of the client-first-message ('n', 'y', 'p'; 0 when absent). */
bool	msg_read_sasl_initial(const uint8_t *, size_t, const char **mechanism, char *gs2);

/* The row count at the end of a command tag ("SELECT 5" -> 5); -1 when it has none. */
int64_t	tag_rows(const char *);

#endif
