// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;

namespace Weft.Proxy.Limits;

/// <summary>A limit of requests, compiled: its bucket, and the lines of the answer to what is too much.</summary>
internal sealed class RateLimit
{
    private const int Million = 1_000_000;

    internal RateLimit(RateLimitPlan plan, TimeProvider clock)
    {
        Plan = plan;
        Bucket = plan.Bucket is { } bucket ? new TokenBucket(bucket, clock) : null;
        Lines = Encoding.Latin1.GetBytes(string.Concat(plan.Headers.Select(header => $"{header.Name}: {header.Value}\r\n")));
    }

    internal RateLimitPlan Plan { get; }

    internal byte[] Lines { get; }

    private TokenBucket? Bucket { get; }

    /// <summary>False if a request must be answered and not served.</summary>
    internal bool Admits(Random random) => Bucket is null || !Hits(random, Plan.EnabledPpm) || Bucket.TryTake() || !Hits(random, Plan.EnforcedPpm);

    private static bool Hits(Random random, int ppm) => ppm >= Million || (ppm > 0 && random.Next(Million) < ppm);
}
