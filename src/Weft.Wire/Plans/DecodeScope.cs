// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Diagnostics;

namespace Weft.Wire.Plans;

/// <summary>Where a decoder is inside one resource, and what it found wrong; problems are values, decoding goes on after them.</summary>
internal sealed class DecodeScope(string typeUrl, string resource)
{
    private const long MaxDurationMs = int.MaxValue;
    private const long MaxLongSeconds = 3660L * 24 * 3600;
    private const int MaxPort = 65_535;

    private readonly List<(string Name, int Index)> _path = [];
    private readonly List<WireProblem> _errors = [];
    private readonly List<WireProblem> _warnings = [];

    public ImmutableArray<WireProblem> Errors => [.. _errors];

    public ImmutableArray<WireProblem> Warnings => [.. _warnings];

    /// <summary>Steps into a field until the result is disposed.</summary>
    public Step At(string field, int index = -1)
    {
        _path.Add((field, index));
        return new Step(this);
    }

    public void Error(string fact) => _errors.Add(new WireProblem(typeUrl, resource, Path(), fact));

    public void Warn(string fact) => _warnings.Add(new WireProblem(typeUrl, resource, Path(), fact));

    /// <summary>Reads a message; a field that it does not have becomes a warning, bytes that are none an error and null.</summary>
    public T? Parse<T>(MessageParser<T> parser, ByteString bytes)
        where T : class, IMessage<T>
    {
        T message;
        try
        {
            message = parser.ParseFrom(bytes);
        }
        catch (Exception problem) when (problem is InvalidProtocolBufferException or InvalidOperationException)
        {
            // The reader answers some damaged wrapper values with the second kind.
            Error($"not a valid {typeof(T).Name}: {problem.Message}");
            return null;
        }

        if (message.CalculateSize() != bytes.Length)
        {
            foreach (var field in UnknownFields.Find(bytes.Span, message.ToByteArray()))
            {
                Warn($"field {field} of {typeof(T).Name} is not supported and has no effect");
            }
        }

        return message;
    }

    public T? Unpack<T>(MessageParser<T> parser, Any? any, string wanted)
        where T : class, IMessage<T>
    {
        if (any is null || any.TypeUrl != wanted)
        {
            Error($"type {any?.TypeUrl ?? "(none)"} is not supported here, {wanted} is");
            return null;
        }

        return Parse(parser, any.Value);
    }

    public int Milliseconds(Duration? duration, int fallback, string field)
    {
        if (duration is null)
        {
            return fallback;
        }

        var ms = (duration.Seconds * 1000d) + (duration.Nanos / 1_000_000d);
        if (ms is >= 0 and <= MaxDurationMs)
        {
            return (int)ms;
        }

        using var at = At(field);
        Error("a duration must be between 0 and 24 days");
        return fallback;
    }

    /// <summary>A duration that may be as long as the life of a cookie: up to ten years.</summary>
    public long LongMilliseconds(Duration duration, string field)
    {
        if (duration is { Seconds: >= 0 and <= MaxLongSeconds, Nanos: >= 0 and < 1_000_000_000 })
        {
            return (duration.Seconds * 1000) + (duration.Nanos / 1_000_000);
        }

        using var at = At(field);
        Error("a duration must be between 0 and ten years");
        return 0;
    }

    /// <summary>A count that must fit a non-negative <c>int</c>.</summary>
    public int Count(uint value, string field)
    {
        if (value <= int.MaxValue)
        {
            return (int)value;
        }

        using var at = At(field);
        Error($"{value} is too large");
        return 0;
    }

    public (string Address, int Port) Address(Envoy.Config.Core.V3.Address? address, bool names = false)
    {
        using var at = At("address");
        var socket = address?.SocketAddress;
        if (socket is null || !(IPAddress.TryParse(socket.Address, out _) || (names && Uri.CheckHostName(socket.Address) == UriHostNameType.Dns)))
        {
            Error($"\"{socket?.Address}\" is {(names ? "neither an IP address nor a name" : "no IP address")}");
            return ("", 0);
        }

        if (socket.PortValue is 0 or > MaxPort)
        {
            Error($"port {socket.PortValue} is not between 1 and {MaxPort}");
        }

        return (socket.Address, (int)Math.Min(socket.PortValue, MaxPort));
    }

    public string Regex(Envoy.Type.Matcher.V3.RegexMatcher? matcher)
    {
        var pattern = matcher?.Regex ?? "";
        if (pattern.Length is 0 or > WireLimits.MaxRegexLength)
        {
            Error($"a regular expression must have 1 to {WireLimits.MaxRegexLength} characters, this has {pattern.Length}");
            return "";
        }

        try
        {
            _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception problem) when (problem is ArgumentException or NotSupportedException)
        {
            Error($"\"{pattern}\" is no usable regular expression: {problem.Message}");
        }

        return pattern;
    }

    public static Origin Origin(V1.Origin? origin) => origin is null
        ? Model.Diagnostics.Origin.BuiltIn
        : new Origin(
            origin.Dialect,
            origin.Kind,
            origin.Namespace,
            origin.Name,
            new Position(origin.File, origin.Line, origin.Column),
            origin.Path);

    private string Path()
    {
        var text = new StringBuilder();
        foreach (var (name, index) in _path)
        {
            text.Append(text.Length == 0 ? "" : ".").Append(name);
            if (index >= 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"[{index}]");
            }
        }

        return text.ToString();
    }

    internal readonly struct Step(DecodeScope scope) : IDisposable
    {
        public void Dispose() => scope._path.RemoveAt(scope._path.Count - 1);
    }
}
