// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>A route's retries, compiled.</summary>
internal sealed class RetryPolicy
{
    /// <summary>Body bytes that are kept for another try; a longer body is sent once.</summary>
    internal const int BodyLimit = 64 * 1024;

    private const int DefaultBackoffMs = 25;

    /// <summary>A server that wants to be left alone for longer is not waited for.</summary>
    private const int DefaultResetMaxMs = 300_000;

    /// <summary>The longest back-off is so many times the first, where the plan says nothing.</summary>
    private const int DefaultBackoffGrowth = 10;

    private readonly HashSet<int> _statuses = [];
    private readonly HeaderMatcher[] _headers;
    private readonly HeaderMatcher[] _requestHeaders;
    private readonly (byte[] Name, bool IsTimestamp)[] _resets;
    private readonly long _resetMaxMs;
    private readonly int _backoffBaseMs;
    private readonly long _backoffMaxMs;

    /// <summary>Throws <see cref="FormatException"/> saying what of it cannot be used.</summary>
    internal RetryPolicy(RetryPlan plan)
    {
        Attempts = plan.Attempts;
        PerTryTimeoutMs = plan.PerTryTimeoutMs;
        PerTryIdleMs = plan.PerTryIdleMs;
        AvoidsTried = plan.AvoidsTriedEndpoints;
        LeavesTriedPriorities = plan.LeavesTriedPriorities;
        _backoffBaseMs = plan.BackoffBaseMs > 0 ? plan.BackoffBaseMs : DefaultBackoffMs;
        _backoffMaxMs = Math.Max(_backoffBaseMs, plan.BackoffMaxMs > 0 ? plan.BackoffMaxMs : (long)_backoffBaseMs * DefaultBackoffGrowth);
        foreach (var word in plan.RetryOn)
        {
            if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                _statuses.Add(status);
                Conditions |= RetryConditions.StatusCodes;
            }
            else
            {
                Conditions |= RetryWords.Of(word);
            }
        }

        _headers = [.. plan.Headers.Select(header => new HeaderMatcher(header))];
        _requestHeaders = [.. plan.RequestHeaders.Select(header => new HeaderMatcher(header))];
        _resets = [.. plan.ResetHeaders.Select(header => (Encoding.ASCII.GetBytes(header.Name.ToLowerInvariant()), header.IsTimestamp))];
        _resetMaxMs = plan.ResetMaxMs > 0 ? plan.ResetMaxMs : DefaultResetMaxMs;
        foreach (var status in plan.StatusCodes)
        {
            _statuses.Add(status);
        }
    }

    /// <summary>Of a route that says nothing, where the application asks for retries.</summary>
    internal static RetryPolicy Unsaid { get; } = new(new RetryPlan(1, 0, [], [], 0));

    internal int Attempts { get; }

    internal int PerTryTimeoutMs { get; }

    /// <summary>A retry goes elsewhere while there is an elsewhere.</summary>
    internal bool AvoidsTried { get; }

    /// <summary>After every second try the priorities that were tried are left out.</summary>
    internal bool LeavesTriedPriorities { get; }

    internal RetryConditions Conditions { get; }

    /// <summary>Without a byte from the server for so long a try ends; 0 for none.</summary>
    internal int PerTryIdleMs { get; }

    /// <summary>The status is one that <c>retriable-status-codes</c> means.</summary>
    internal bool NamesStatus(int status) => _statuses.Contains(status);

    /// <summary>The response has a field that <c>retriable-headers</c> means.</summary>
    internal bool NamesFieldOf(ResponseHead response, ReadOnlySpan<byte> bytes)
    {
        foreach (var header in _headers)
        {
            if (header.MatchesField(response, bytes))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The request is of those that are tried again at all.</summary>
    internal bool Admits(in RouteRequest request)
    {
        foreach (var header in _requestHeaders)
        {
            if (header.Matches(request))
            {
                return true;
            }
        }

        return _requestHeaders.Length == 0;
    }

    /// <summary>
    /// How long a server wants to be left alone, by the first of the route's fields that says so and is near enough; -1 where it does
    /// not matter. Up to a half more is added, lest all come at once.
    /// </summary>
    internal int ResetMs(ResponseHead response, ReadOnlySpan<byte> bytes, DateTimeOffset now, Random random)
    {
        foreach (var (name, isTimestamp) in _resets)
        {
            if (response.IndexOf(name, bytes) is >= 0 and var at && response.Fields[at].Value.Of(bytes) is var text &&
                Utf8Parser.TryParse(text, out uint number, out var length) && length == text.Length)
            {
                var pause = isTimestamp ? (number * 1000L) - now.ToUnixTimeMilliseconds() : number * 1000L;
                if (pause >= 0 && pause <= _resetMaxMs)
                {
                    return (int)Math.Min(pause + random.NextInt64((pause / 2) + 1), int.MaxValue);
                }
            }
        }

        return -1;
    }

    /// <summary>Full jitter below a limit that doubles from the first back-off up to the longest.</summary>
    /// <param name="retry">1 for the first retry.</param>
    internal int BackoffMs(int retry, Random random)
    {
        var limit = Math.Min((long)_backoffBaseMs << Math.Min(retry - 1, 20), _backoffMaxMs);
        return (int)random.NextInt64(Math.Max(1, Math.Min(limit, int.MaxValue)));
    }
}
