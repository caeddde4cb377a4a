// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>A limit of requests, compiled: its buckets, and the lines of the answer to what is too much.</summary>
internal sealed class RateLimit
{
    private const int Million = 1_000_000;

    private readonly TokenBucket? _common;
    private readonly (byte[] Entries, TokenBucket Bucket)[] _described;

    internal RateLimit(RateLimitPlan plan, TimeProvider clock)
    {
        Plan = plan;
        _common = plan.Bucket is { } bucket ? new TokenBucket(bucket, clock) : null;
        _described = [.. plan.Descriptors.Select(described => (Encode(described), new TokenBucket(described.Bucket, clock)))];
        Lines = Encoding.Latin1.GetBytes(string.Concat(plan.Headers.Select(header => $"{header.Name}: {header.Value}\r\n")));
    }

    internal RateLimitPlan Plan { get; }

    internal byte[] Lines { get; }

    /// <summary>False if a request must be answered and not served.</summary>
    internal bool Admits(Exchange exchange)
    {
        var random = exchange.Loop.Random;
        if ((_common is null && _described.Length == 0) || !Hits(random, Plan.EnabledPpm))
        {
            return true;
        }

        TokenBucket? decisive = null;
        var admits = (_described.Length == 0 || TakeDescribed(exchange, ref decisive)) && TakeCommon(ref decisive);
        if (Plan.ShowsHeaders && decisive is not null)
        {
            decisive.AppendLines(ref exchange.Extras.Lines);
        }

        return admits || !Hits(random, Plan.EnforcedPpm);
    }

    private bool TakeCommon(ref TokenBucket? decisive)
    {
        if (_common is null || (decisive is not null && !Plan.AlwaysTakesCommon))
        {
            return true;
        }

        if (_common.TryTake())
        {
            decisive ??= _common;
            return true;
        }

        decisive = _common;
        return false;
    }

    /// <summary>Takes from every bucket that a description of the request has; the scarcest that has something left is the one that is shown.</summary>
    private bool TakeDescribed(Exchange exchange, ref TokenBucket? decisive)
    {
        if (exchange.Route!.Actions.RateDescriptors is not { } descriptors)
        {
            return true;
        }

        ref var entries = ref exchange.Loop.QuestionText;
        for (var i = 0; i < descriptors.Count; i++)
        {
            entries.Clear();
            if (!descriptors.TryAppend(ref entries, exchange, i, Plan.Stage) || Find(entries.Bytes) is not { } bucket)
            {
                continue;
            }

            if (!bucket.TryTake())
            {
                decisive = bucket;
                return false;
            }

            decisive = decisive is null || bucket.Left < decisive.Left ? bucket : decisive;
        }

        return true;
    }

    private TokenBucket? Find(ReadOnlySpan<byte> entries)
    {
        foreach (var (written, bucket) in _described)
        {
            if (entries.SequenceEqual(written))
            {
                return bucket;
            }
        }

        return null;
    }

    private static byte[] Encode(DescribedLimitPlan plan)
    {
        NativeBuffer entries = default;
        foreach (var entry in plan.Entries)
        {
            RateAction.Append(ref entries, Encoding.UTF8.GetBytes(entry.Key), Encoding.UTF8.GetBytes(entry.Value));
        }

        var bytes = entries.Bytes.ToArray();
        entries.Free();
        return bytes;
    }

    private static bool Hits(Random random, int ppm) => ppm >= Million || (ppm > 0 && random.Next(Million) < ppm);
}
