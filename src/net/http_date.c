/* SPDX-License-Identifier: Apache-2.0 */
/* The date of a head, "Thu, 26 Nov 2026 22:36:05 GMT", out and in. */
#include "net/http.h"

#include <stdio.h>
#include <string.h>

static const char days[] = "ThuFriSatSunMonTueWed";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

#define SECONDS_MAX INT64_C(253'402'300'799) /* the end of the year 9999 */

void
oi_http_date_write(int64_t second, char text[OI_HTTP_DATE_SIZE])
{
    int64_t day, era_day, year_of_era, day_of_year, month, year;

    if (second < 0 || second > SECONDS_MAX)
        second = second < 0 ? 0 : SECONDS_MAX;
    /* Civil from days: eras of 400 years from 1 March, so that leap days end them. */
    day = second / 86'400;
    era_day = (day + 719'468) % 146'097;
    year_of_era = (era_day - era_day / 1'460 + era_day / 36'524 - era_day / 146'096) / 365;
    day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    year = year_of_era + (day + 719'468) / 146'097 * 400 + (month >= 10);
    (void) snprintf(text, OI_HTTP_DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                    days + day % 7 * 3, (int) (day_of_year - (153 * month + 2) / 5 + 1),
                    months + (month + 2) % 12 * 3, (int) (year % 10'000),
                    (int) (second / 3'600 % 24), (int) (second / 60 % 60), (int) (second % 60));
}

/* Two or four digits, or -1. */
static int64_t
number_at(const char *text, size_t size)
{
    int64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool
oi_http_date_read(struct oi_slice text, int64_t *ret_second)
{
    static const char form[] = "www, dd mmm yyyy hh:mm:ss GMT";
    char written[OI_HTTP_DATE_SIZE];
    const char *month;
    char name[4] = "";
    int64_t year, era_year, day, place, second;

    if (text.size != sizeof(form) - 1)
        return false;
    memcpy(name, text.data + 8, 3);
    month = strstr(months, name);
    year = number_at(text.data + 12, 4);
    day = number_at(text.data + 5, 2);
    if (!month || (month - months) % 3 != 0 || year < 1970 || day < 1)
        return false;
    /* Days from civil: years from 1 March. */
    place = ((month - months) / 3 + 10) % 12;
    era_year = year - (place >= 10);
    second = era_year * 365 + era_year / 4 - era_year / 100 + era_year / 400 +
             (153 * place + 2) / 5 + day - 1 - 719'468;
    second = second * 86'400 + number_at(text.data + 17, 2) * 3'600 +
             number_at(text.data + 20, 2) * 60 + number_at(text.data + 23, 2);
    if (second < 0)
        return false;
    /* What it is to be says whether all of it was as it must be. */
    oi_http_date_write(second, written);
    if (memcmp(written, text.data, text.size) != 0)
        return false;
    *ret_second = second;
    return true;
}
