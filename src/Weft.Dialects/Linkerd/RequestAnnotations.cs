// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Linkerd;

/// <summary>retry.linkerd.io/* and timeout.linkerd.io/* of a Service.</summary>
internal static class RequestAnnotations
{
    private const string RetryHttp = "retry.linkerd.io/http";
    private const string RetryGrpc = "retry.linkerd.io/grpc";
    private const string RetryLimit = "retry.linkerd.io/limit";
    private const string RetryTimeout = "retry.linkerd.io/timeout";
    private const string RequestTimeout = "timeout.linkerd.io/request";
    private const string ResponseTimeout = "timeout.linkerd.io/response";
    private const string IdleTimeout = "timeout.linkerd.io/idle";

    private const int DefaultLimit = 1;
    private const int BackoffBaseMs = 25;
    private const int BackoffMaxMs = 250;
    private const int MinStatus = 100;
    private const int MaxStatus = 599;

    private static readonly string[] _grpcCodes = ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

    /// <summary>Retries and timeouts only.</summary>
    public static ServicePolicy Read(Annotations annotations, Origin service)
    {
        annotations.NotSupported(ResponseTimeout);
        return ServicePolicy.None with
        {
            Retries = ReadRetries(annotations),
            TimeoutMs = annotations.DurationMs(RequestTimeout, minimumMs: 0) ?? 0,
            IdleTimeoutMs = annotations.DurationMs(IdleTimeout, minimumMs: 0) ?? 0,
            Origin = service,
        };
    }

    private static Retries? ReadRetries(Annotations annotations)
    {
        if (!annotations.Has(RetryHttp) && !annotations.Has(RetryGrpc) && !annotations.Has(RetryLimit) && !annotations.Has(RetryTimeout))
        {
            return null;
        }

        // What the server has said that it has not seen is always tried again.
        List<string> conditions = ["refused-stream"];
        conditions.AddRange(Conditions(annotations, RetryHttp, StatusConditions, "5xx, gateway-error, a status or a range as 500-504 is expected"));
        conditions.AddRange(Conditions(
            annotations, RetryGrpc, word => _grpcCodes.Contains(word, StringComparer.Ordinal) ? [word] : null,
            $"one of {string.Join(", ", _grpcCodes)} is expected"));
        return new Retries(
            annotations.Integer(RetryLimit, 0, ushort.MaxValue) ?? DefaultLimit,
            annotations.DurationMs(RetryTimeout, minimumMs: 0) ?? 0,
            [.. conditions.Distinct(StringComparer.Ordinal)],
            BackoffBaseMs)
        {
            BackoffMaxMs = BackoffMaxMs,
            AvoidsTriedEndpoints = false,
        };
    }

    private static List<string> Conditions(
        Annotations annotations, string key, Func<string, IEnumerable<string>?> meaning, string expected)
    {
        var found = new List<string>();
        foreach (var word in (annotations.Text(key) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (meaning(word) is { } conditions)
            {
                found.AddRange(conditions);
            }
            else
            {
                annotations.Reject(key, expected);
            }
        }

        return found;
    }

    /// <summary>The conditions of one word, statuses one by one; null for what is none.</summary>
    private static IEnumerable<string>? StatusConditions(string word)
    {
        if (word is "5xx" or "gateway-error")
        {
            return [word];
        }

        var dash = word.IndexOf('-', StringComparison.Ordinal);
        var (first, last) = dash < 0 ? (word, word) : (word[..dash], word[(dash + 1)..]);
        return Status(first) is { } from && Status(last) is { } to && from <= to
            ? Enumerable.Range(from, to - from + 1).Select(code => code.ToString(CultureInfo.InvariantCulture))
            : null;
    }

    private static int? Status(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= MinStatus and <= MaxStatus ? code : null;
}
