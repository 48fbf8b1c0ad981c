/* include/log.h - what the operator reads.
 *
 * One line an event: time, level, message, key=value. Goes to stderr or to a
 * file, never to stdout (a stdio MCP server owns that). The whole
 * line is escaped, so that a peer cannot forge one. Never blocks longer than a write to a
 * file or terminal takes; safe from any thread.
 */
#ifndef LOG_H
#define LOG_H

#include "base.h"

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

bool	log_open(const char *file, enum log_level, struct err *);	/* NULL: stderr */
void	log_reopen(void);						/* after the file was rotated (SIGHUP) */
void	log_close(void);
bool	log_enabled(enum log_level);

/* session 0: not about one. All of the formatted text is escaped: control
 * bytes become \xNN. */
void	log_line(enum log_level, uint64_t session, const char *fmt, ...) printf_like(3, 4);

#define log_debug(...)	do { if (log_enabled(LOG_DEBUG_)) log_line(LOG_DEBUG_, __VA_ARGS__); } while (0)
#define log_info(...)	log_line(LOG_INFO_, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN_, __VA_ARGS__)
#define log_error(...)	log_line(LOG_ERROR_, __VA_ARGS__)

#endif
