// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Relays;

/// <summary>Copies bytes between two streams both ways until one of them ends: what an HTTP connection or a link needs, which never close by halves.</summary>
internal static class StreamPump
{
    public static async Task RunAsync(Stream left, Stream right, CancellationToken ct)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var there = CopyAsync(left, right, both.Token);
        var back = CopyAsync(right, left, both.Token);
        await Task.WhenAny(there, back);
        await both.CancelAsync();
        await Task.WhenAll(there, back);
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken ct)
    {
        try
        {
            await from.CopyToAsync(to, ct);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side may go at any time; the other is closed then.
        }
    }
}
