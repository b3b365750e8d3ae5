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
