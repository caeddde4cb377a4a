// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Text.RegularExpressions;

namespace Weft.ApiServer.Custom;

/// <summary>The formats of strings that a schema may ask for; names that Kubernetes does not know ask for nothing.</summary>
internal static partial class ValueFormat
{
    public static bool Fits(string format, string text) => format switch
    {
        "date-time" or "datetime" => IsMoment(text),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "duration" => Duration().IsMatch(text) || WordyDuration().IsMatch(text),
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _) || text.StartsWith('/'),
        "email" => MailAddress.TryCreate(text, out var address) && address.DisplayName.Length == 0,
        "hostname" => text.Length <= 253 && HostName().IsMatch(text),
        "ipv4" => IPAddress.TryParse(text, out var four) && four.GetAddressBytes().Length == 4 && text.Count(letter => letter == '.') == 3,
        "ipv6" => text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out _),
        "cidr" => IsNetwork(text),
        "mac" => MediaAddress().IsMatch(text),
        "uuid" => Uuid().IsMatch(text),
        "uuid3" => Uuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '3',
        "uuid4" => Uuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '4',
        "uuid5" => Uuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '5',
        "bsonobjectid" => text.Length == 24 && text.All(char.IsAsciiHexDigit),
        "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
        "hexcolor" => HexColor().IsMatch(text),
        "rgbcolor" => RgbColor().IsMatch(text),
        "ssn" => SocialNumber().IsMatch(text),
        "isbn" => IsBook10(text) || IsBook13(text),
        "isbn10" => IsBook10(text),
        "isbn13" => IsBook13(text),
        "creditcard" => IsCard(text),
        _ => true,
    };

    private static bool IsMoment(string text) => Moment().IsMatch(text) && DateTimeOffset.TryParse(
        text.ToUpperInvariant(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    private static bool IsNetwork(string text)
    {
        var at = text.IndexOf('/', StringComparison.Ordinal);
        return at > 0 && IPAddress.TryParse(text.AsSpan(0, at), out var address)
            && int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
            && bits <= address.GetAddressBytes().Length * 8;
    }

    private static bool IsBook10(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length != 10 || !digits.AsSpan(0, 9).ContainsOnlyDigits() || !(char.IsAsciiDigit(digits[9]) || digits[9] is 'X'))
        {
            return false;
        }

        var sum = digits.Select((digit, index) => (10 - index) * (digit is 'X' ? 10 : digit - '0')).Sum();
        return sum % 11 == 0;
    }

    private static bool IsBook13(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        return digits.Length == 13 && digits.AsSpan().ContainsOnlyDigits()
            && digits.Select((digit, index) => (digit - '0') * (index % 2 == 0 ? 1 : 3)).Sum() % 10 == 0;
    }

    private static bool IsCard(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length is < 13 or > 19 || !digits.AsSpan().ContainsOnlyDigits())
        {
            return false;
        }

        var sum = digits.Reverse().Select((digit, index) => index % 2 == 0 ? digit - '0' : ((digit - '0') * 2 / 10) + ((digit - '0') * 2 % 10)).Sum();
        return sum % 10 == 0;
    }

    private static bool ContainsOnlyDigits(this ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') < 0;

    [GeneratedRegex("^\\d{4}-\\d\\d-\\d\\d[tT]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?([zZ]|[+-]\\d\\d:\\d\\d)\\z")]
    private static partial Regex Moment();

    [GeneratedRegex("^[-+]?(0|(\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)((\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))*)\\z")]
    private static partial Regex Duration();

    [GeneratedRegex("^\\d+ ?(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)\\z")]
    private static partial Regex WordyDuration();

    [GeneratedRegex("^([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)(\\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\\.?\\z")]
    private static partial Regex HostName();

    [GeneratedRegex("^([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-])?[0-9A-Fa-f]{2}\\z")]
    private static partial Regex MediaAddress();

    [GeneratedRegex("^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}\\z")]
    private static partial Regex Uuid();

    [GeneratedRegex("^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})\\z")]
    private static partial Regex HexColor();

    [GeneratedRegex("^rgb\\(\\s*(\\d{1,2}|1\\d\\d|2[0-4]\\d|25[0-5])\\s*,\\s*(\\d{1,2}|1\\d\\d|2[0-4]\\d|25[0-5])\\s*,\\s*(\\d{1,2}|1\\d\\d|2[0-4]\\d|25[0-5])\\s*\\)\\z")]
    private static partial Regex RgbColor();

    [GeneratedRegex("^\\d{3}[- ]?\\d{2}[- ]?\\d{4}\\z")]
    private static partial Regex SocialNumber();
}
