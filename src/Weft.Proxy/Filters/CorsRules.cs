// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Filters;

/// <summary>Cross-origin rules of a route, compiled: who may ask, and the lines that say so.</summary>
internal sealed class CorsRules
{
    private readonly TextMatcher[] _origins;
    private readonly bool _anybody;
    private readonly byte[] _answerLines;

    /// <summary>Throws <see cref="FormatException"/> if an origin's regular expression is not valid.</summary>
    internal CorsRules(CorsPlan plan)
    {
        _origins = [.. plan.Origins.Select(TextMatcher.Compile)];

        // As Envoy does: what a single * would pass is meant for everybody.
        _anybody = Array.Exists(_origins, origin => origin.Holds("*"u8));
        ForwardsUnmatched = plan.ForwardsUnmatched;
        var credentials = plan.AllowCredentials ? "access-control-allow-credentials: true\r\n" : "";
        _answerLines = Encoding.Latin1.GetBytes(credentials + Line("access-control-expose-headers", plan.ExposeHeaders));
        var age = plan.MaxAgeSeconds < 0 ? "" : plan.MaxAgeSeconds.ToString(CultureInfo.InvariantCulture);
        PreflightLines = Encoding.Latin1.GetBytes(
            credentials + Line("access-control-allow-methods", plan.AllowMethods) + Line("access-control-allow-headers", plan.AllowHeaders) +
            Line("access-control-max-age", age));
    }

    /// <summary>Questions in advance of other origins are the server's to answer.</summary>
    internal bool ForwardsUnmatched { get; }

    /// <summary>Of the answer to a question in advance, beside the origin.</summary>
    internal byte[] PreflightLines { get; }

    internal bool Allows(ReadOnlySpan<byte> origin)
    {
        if (_anybody)
        {
            return true;
        }

        foreach (var allowed in _origins)
        {
            if (allowed.Holds(origin))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True for fields of the server's answer that the proxy's own stand for.</summary>
    internal bool Replaces(ReadOnlySpan<byte> name) =>
        name.Length > Prefix.Length && (Ascii.EqualsIgnoreCase(name, "access-control-allow-origin"u8) ||
        (_answerLines.AsSpan().IndexOf("credentials"u8) >= 0 && Ascii.EqualsIgnoreCase(name, "access-control-allow-credentials"u8)) ||
        (_answerLines.AsSpan().IndexOf("expose"u8) >= 0 && Ascii.EqualsIgnoreCase(name, "access-control-expose-headers"u8)));

    /// <summary>The lines of an answer that a page of that origin may read.</summary>
    internal void Append(ref NativeBuffer head, ReadOnlySpan<byte> origin)
    {
        head.Append("access-control-allow-origin: "u8);
        head.Append(origin);
        head.Append("\r\n"u8);
        head.Append(_answerLines);
    }

    private static ReadOnlySpan<byte> Prefix => "access-control-"u8;

    private static string Line(string name, string value) => value.Length == 0 ? "" : $"{name}: {value}\r\n";
}
