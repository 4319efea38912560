/* SPDX-License-Identifier: Apache-2.0 */
/* The vector routines that SSE2 is enough for; nothing on other processors. */
#include "base/cpu.h"

#if defined(__x86_64__)
#define VEC_SSE2
#include "base/vec_json.h"
#include "base/vec_search.h"
#include "base/vec_xor.h"
#endif
