/* proxy/config_table.h - the table of settings, and how one value is read.
 *
 * Private to config.c, config_file.c and the test that compares the table
 * with the manual page.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "config.h"

enum setting_type {
	SETTING_STRING,
	SETTING_LIST,	/* of strings: the option repeats, the key holds one or an array */
	SETTING_INT,
	SETTING_WORD,	/* index of words */
	SETTING_BOOL,
	SETTING_MODE	/* octal digits */
};

struct setting {
	const char		*key;		/* in the file; "_" becomes "-" in the option */
	enum setting_type	 type;
	size_t			 offset;	/* in struct config */
	unsigned		 commands;	/* enum config_command, or-ed: where it is an option */
	int			 min, max;
	const char *const	*words;		/* NULL-terminated */
	const char		*preset;	/* default, as it would be written; NULL: unset */
	const char		*metavar;
	const char		*help;
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* What one source (the file, the command line) has said so far. */
struct config_seen {
	bool	key[32];
};

const struct setting	*setting_find(const char *name);	/* key or option; NULL when unknown */
/* Reads text into the setting's place; a list grows by it. On false nothing changes. */
bool	setting_read(const struct setting *, struct config *, const char *text, struct err *);
void	setting_clear(const struct setting *, struct config *);	/* frees strings */
void	setting_option(const struct setting *, char *out, size_t);	/* "tls_cert" -> "--tls-cert" */

/* Reads a file into config, noting its keys in seen. Every error is appended, one a line. */
bool	config_file(struct config *, const char *path, struct config_seen *seen, struct sb *errors);

#endif
