/* SPDX-License-Identifier: Apache-2.0 */
/* What gcc and clang offer beyond C, under names that say what it is for. */
#pragma once

/* Run close_function(&variable) when the variable leaves its scope, on every path. */
#define OI_CLEANUP(close_function) __attribute__((cleanup(close_function)))

/* The number of elements of an array (never of a pointer). */
#define OI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Check the arguments of a printf-like function against its format. */
#define OI_PRINTF(format_position, first_argument)                                                 \
    __attribute__((format(printf, format_position, first_argument)))

/*
 * Compile a function several times, for wider vector units too, and take the best one that the
 * processor has at the first call. For loops over columns. Sanitizers run before what this needs is
 * there, and only glibc on x86-64 has it: elsewhere the function is compiled once.
 * clang makes a global name of a static one: give it one that no other file uses.
 */
#if defined(__has_include)
#if __has_include(<features.h>)
#include <features.h>
#endif
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define OI_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OI_SANITIZED
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(OI_SANITIZED)
#define OI_VECTORISED __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define OI_VECTORISED
#endif
