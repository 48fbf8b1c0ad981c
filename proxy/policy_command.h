/* proxy/policy_command.h - `pgmoat policy`: what a policy file may hold, means, and hardly means. */
#ifndef POLICY_COMMAND_H
#define POLICY_COMMAND_H

#include <stdio.h>

int	policy_main(int argc, char **argv);
void	policy_help(FILE *);

#endif
