// SPDX-License-Identifier: Apache-2.0

using Weft.Testing;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>A server that holds every request until the test lets it go.</summary>
internal sealed class HeldOrigin : IDisposable
{
    private readonly SemaphoreSlim _released = new(0);
    private readonly TestOrigin _origin;
    private int _arrived;

    internal HeldOrigin() => _origin = TestOrigin.Answering(request =>
    {
        Interlocked.Increment(ref _arrived);
        _released.Wait(20_000);
        return TestOrigin.Response(request.Split(' ')[1]);
    });

    internal int Port => _origin.Port;

    internal int Connections => _origin.Connections;

    /// <summary>Requests that came, answered or not.</summary>
    internal int Arrived => Volatile.Read(ref _arrived);

    internal void Release(int count = 1) => _released.Release(count);

    internal Task HasAsync(int requests) =>
        Eventually.HoldsAsync($"{requests} requests arrived", () => Task.FromResult(Arrived == requests));

    public void Dispose()
    {
        _released.Release(1000);
        _origin.Dispose();
    }
}
