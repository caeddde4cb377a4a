// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>
/// Counts requests under way and refuses more than the limits. Readers and writers, and the node's own socket and the one for
/// everybody, each have their own: none of them can starve another.
/// </summary>
internal sealed class InFlight(int reading = ApiLimits.ReadingRequests, int changing = ApiLimits.ChangingRequests)
{
    private readonly int[] _counts = new int[4];

    /// <summary>Requests that last as long as the client likes; they are bounded by connections, not by time.</summary>
    public static bool IsLong(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        return context.Request.Query["watch"] is ["true" or "1" or ""]
            || path.Split('/') is ["", "api", _, "watch", ..] or ["", "apis", _, _, "watch", ..]
            || path.StartsWith("/weft/link/", StringComparison.Ordinal)
            || path.EndsWith("/exec", StringComparison.Ordinal)
            || path.EndsWith("/attach", StringComparison.Ordinal)
            || path.EndsWith("/portforward", StringComparison.Ordinal)
            || path.EndsWith("/log", StringComparison.Ordinal);
    }

    /// <summary>Runs the request if there is room; throws a worded refusal otherwise.</summary>
    public async Task RunAsync(HttpContext context, Func<HttpContext, Task> run)
    {
        var method = context.Request.Method;
        var reads = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        var kind = (context.Request.IsHttps ? 2 : 0) + (reads ? 1 : 0);
        try
        {
            if (Interlocked.Increment(ref _counts[kind]) > (reads ? reading : changing))
            {
                throw ApiException.TooMany();
            }

            await run(context);
        }
        finally
        {
            Interlocked.Decrement(ref _counts[kind]);
        }
    }
}
