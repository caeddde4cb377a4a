// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Tests.Filters;

/// <summary>A proxy with one client.</summary>
internal sealed class FilterSetting : IDisposable
{
    private readonly Peer _client;

    internal FilterSetting(Func<int, ProxyPlan> plan)
    {
        Port = TestProxy.FreePort();
        Proxy = new TestProxy(plan(Port));
        _client = Peer.Connect(Port);
    }

    internal int Port { get; }

    internal TestProxy Proxy { get; }

    public void Dispose()
    {
        _client.Dispose();
        Proxy.Dispose();
    }

    internal string Ask(string request)
    {
        _client.Write(request);
        return _client.ReadMessage()!;
    }

    internal string Metrics()
    {
        // The answer may be here before its loop has counted it; a turn of the loop later it has.
        Proxy.Runtime.OnEveryLoop(_ => null);
        var text = new MetricsText();
        text.AddLoops([.. Proxy.Runtime.Metrics]);
        return text.ToString();
    }
}
