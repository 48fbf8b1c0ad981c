/* proxy/config.h - settings of `serve` and `run`: command line and pgmoat.json.
 *
 * One table (config_table.c) names every setting: its JSON key, its option, type, range,
 * default and help line; --help prints it and a test holds the manual page to it. The file uses the
 * keys of the table, options override the file. Unknown, repeated and mistyped
 * keys are errors "file:line:column: key: reason".
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "audit.h"
#include "base.h"
#include "tls.h"

enum auth_mode {
	AUTH_PASS,	/* "pass": the server's own exchange is relayed */
	AUTH_PASSWORD,	/* "password": asked for inside the client's TLS, libpq logs in with it */
	AUTH_FIXED	/* pgmoat run: a token for the client, the URL's password for the server; not in files */
};

#define LISTEN_MAX	16

struct config {				/* strings owned */
	char			*listen[LISTEN_MAX];	/* --listen, may repeat */
	size_t			 nlisten;
	char			*upstream;	/* --upstream */
	char			*policy;	/* --policy; NULL: built-in */
	char			*catalog;	/* --catalog server|off|FILE */
	int			 catalog_max_age;	/* milliseconds, default 1000 */
	char			*audit;		/* --audit FILE; NULL: none */
	bool			 audit_redact;
	enum audit_on_failure	 audit_on_failure;
	int			 workers;	/* --workers; 0: one per core */
	enum tls_mode		 tls_mode;	/* --tls-mode disable|allow|prefer|require; default: prefer when there is a certificate */
	char			*tls_cert, *tls_key, *tls_ca;
	enum auth_mode		 auth;		/* --auth pass|password */
	int			 login_timeout;	/* seconds, default 60 */
	int			 max_half_open;	/* per address, default 64 */
	int			 max_clients;	/* default 10000 */
	int			 unix_mode;	/* octal string in JSON, default 0777 */
	char			*log_file;	/* --log FILE; NULL: stderr */
	int			 log_level;	/* enum log_level */
	char			*pid_file;
	/* AUTH_FIXED only; set by `pgmoat run` */
	char			*token;
};

/* Which command's settings: a bit of struct setting.commands. */
enum config_command { CONFIG_SERVE = 1, CONFIG_RUN = 2 };

void	config_init(struct config *);		/* defaults */
void	config_release(struct config *);	/* wipes what is secret */
/* `pgmoat serve`: reads argv[1..] after the command's name (and -c FILE), and checks that all which is
 * needed is there. Errors: all of them, one a line. */
bool	config_read(struct config *, int argc, char **argv, struct sb *errors);
/* The options of one command, up to the first argument that is none, or behind "--": *next is its index. */
bool	config_options(struct config *, enum config_command, int argc, char **argv, int *next, struct sb *errors);
void	config_help(FILE *, enum config_command);

#endif
