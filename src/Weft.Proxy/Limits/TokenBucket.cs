// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>
/// A token bucket that all loops share: one word, changed by compare-and-swap. The upper half counts the fills since the bucket was made, the
/// lower half the tokens left; who takes a token makes up for the fills that have come due.
/// </summary>
internal sealed class TokenBucket
{
    private readonly TimeProvider _clock;
    private readonly long _made;
    private readonly TokenBucketPlan _plan;
    private ulong _state;

    internal TokenBucket(TokenBucketPlan plan, TimeProvider clock)
    {
        (_plan, _clock, _made) = (plan, clock, clock.GetTimestamp());
        _state = (uint)plan.MaxTokens;
    }

    /// <summary>Tokens when somebody last took one.</summary>
    internal uint Left => (uint)Volatile.Read(ref _state);

    private long AgeMs => (long)_clock.GetElapsedTime(_made).TotalMilliseconds;

    /// <summary>How many requests it takes, how many more, and the seconds until there are more again.</summary>
    internal void AppendLines(ref NativeBuffer lines)
    {
        const int MsPerSecond = 1000;
        var untilFill = _plan.FillIntervalMs - (AgeMs % _plan.FillIntervalMs);
        Append(ref lines, "x-ratelimit-limit: "u8, _plan.MaxTokens);
        Append(ref lines, "x-ratelimit-remaining: "u8, Left);
        Append(ref lines, "x-ratelimit-reset: "u8, (untilFill + MsPerSecond - 1) / MsPerSecond);
    }

    /// <summary>Takes one; false if there is none.</summary>
    internal bool TryTake()
    {
        var due = (uint)(AgeMs / _plan.FillIntervalMs);
        while (true)
        {
            var state = Volatile.Read(ref _state);
            var (fills, tokens) = ((uint)(state >> 32), (uint)state);

            // Another loop may have looked at the clock later than this one.
            if (due > fills)
            {
                tokens = (uint)Math.Min((ulong)_plan.MaxTokens, tokens + ((ulong)(due - fills) * (uint)_plan.TokensPerFill));
                fills = due;
            }

            if (tokens == 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _state, ((ulong)fills << 32) | (tokens - 1), state) == state)
            {
                return true;
            }
        }
    }

    private static void Append(ref NativeBuffer lines, ReadOnlySpan<byte> name, long value)
    {
        lines.Append(name);
        HeadWriter.AppendNumber(ref lines, value);
        lines.Append("\r\n"u8);
    }
}
