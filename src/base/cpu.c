/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The levels of cpu.h. A constructor asks the processor, so that no call pays
 * for it and no thread can come too early. Owned by nobody: one number. The
 * trap: whether a level may be used is also the kernel's affair, which must
 * save the registers; the compiler's own test looks at both.
 */
#include "base/cpu.h"

#include <string.h>

enum cpu_level cpu_level_now = CPU_PORTABLE;

static const char *const names[CPU_LEVELS] = {
	[CPU_PORTABLE] = "portable", [CPU_SSE2] = "sse2", [CPU_SSSE3] = "ssse3",
	[CPU_AVX2] = "avx2",	     [CPU_NEON] = "neon",
};

const char *cpu_level_name(enum cpu_level level)
{
	return names[level];
}

bool cpu_has(enum cpu_level level)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	switch (level) {
	case CPU_PORTABLE:
	case CPU_SSE2:
		return true;
	case CPU_SSSE3:
		return __builtin_cpu_supports("ssse3");
	case CPU_AVX2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
		       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul");
	case CPU_NEON:
	case CPU_LEVELS:
		break;
	}
	return false;
#elif defined(__aarch64__) && defined(__ARM_NEON)
	return level == CPU_PORTABLE || level == CPU_NEON;
#else
	return level == CPU_PORTABLE;
#endif
}

static enum cpu_level best_level(void)
{
	unsigned level = CPU_LEVELS - 1;

	while (!cpu_has((enum cpu_level)level))
		level--;
	return (enum cpu_level)level;
}

static __attribute__((constructor)) void find_level(void)
{
	cpu_level_now = best_level();
}

bool cpu_limit(const char *name)
{
	if (!name) {
		cpu_level_now = best_level();
		return true;
	}
	for (unsigned i = 0; i < CPU_LEVELS; i++) {
		if (strcmp(names[i], name) != 0 || !cpu_has((enum cpu_level)i))
			continue;
		cpu_level_now = (enum cpu_level)i;
		return true;
	}
	return false;
}
