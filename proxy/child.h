/* proxy/child.h - the one command that `pgmoat run` starts.
 *
 * child_start() forks while the process still has one thread; the child waits
 * until child_go() tells it where the guard listens, and only then becomes
 * the command. Its standard streams are ours, untouched. It ends when we do.
 */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "base.h"

struct child {
	pid_t		 pid;
	int		 go;		/* pipe to it: what child_go() says */
	int		 failed;	/* pipe from it: errno when the command cannot be started */
	sigset_t	 signals;	/* blocked since child_start(), waited for in child_wait() */
};

/* exec runs in the child, gets what child_go() said, and calls execvpe(); if it returns, errno says why. */
bool	child_start(struct child *, void (*exec)(void *arg, const char *told), void *arg, struct err *);
/* False: the command did not start, errno says why; child_wait() is to be called all the same. */
bool	child_go(struct child *, const char *told);
/* Nothing will be told: the child ends without a word. */
void	child_abandon(struct child *);
/* Passes signals on until it ends; answers its exit status, 128 + n when signal n ended it. */
int	child_wait(struct child *);

#endif
