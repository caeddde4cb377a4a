// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
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

    /// <summary>The longest back-off is so many times the first, where the plan says nothing.</summary>
    private const int DefaultBackoffGrowth = 10;

    private readonly HashSet<int> _statuses = [];
    private readonly HeaderMatcher[] _headers;
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

    /// <summary>Full jitter below a limit that doubles from the first back-off up to the longest.</summary>
    /// <param name="retry">1 for the first retry.</param>
    internal int BackoffMs(int retry, Random random)
    {
        var limit = Math.Min((long)_backoffBaseMs << Math.Min(retry - 1, 20), _backoffMaxMs);
        return (int)random.NextInt64(Math.Max(1, Math.Min(limit, int.MaxValue)));
    }
}
