/* SPDX-License-Identifier: Apache-2.0 */
/* How many blocks of memory the code under test, and the simulator, have: counted by --wrap. */
#ifndef SIM_SIM_MEMORY_H
#define SIM_SIM_MEMORY_H

#include <stddef.h>

size_t sim_memory_live(void);
void sim_memory_init(void); /* JSON values are counted, too; before the first of them */

#endif
