/* proxy/commands.h - what main.c needs to know of the commands besides their main functions. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdio.h>

/* Exit statuses of every command (run: of pgmoat itself, before its child has started). */
enum exit_status {
	EXIT_OK,
	EXIT_REFUSED,	/* a check failed */
	EXIT_USAGE	/* wrong options, or a file that cannot be used */
};

void	run_help(FILE *);
void	check_help(FILE *);

#endif
