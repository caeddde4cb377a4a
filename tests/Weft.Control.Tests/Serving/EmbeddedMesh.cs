// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;
using Weft.ApiServer;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Serving;

/// <summary>A control plane and the embedded API server that it reads, in a folder of their own.</summary>
internal sealed class EmbeddedMesh : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly ApiServerHost _api;
    private readonly ControlPlane _plane;
    private Task _run = Task.CompletedTask;

    private EmbeddedMesh(AdmissionHooks hooks, Func<ControlOptions, ControlOptions>? adapt)
    {
        var options = new ApiServerOptions { PlainSocket = Path.Combine(_folder, "api.sock"), DataDirectory = _folder };
        _api = new ApiServerHost(options, hooks, TimeProvider.System, NullLoggerFactory.Instance);
        Client = new KubernetesClient($"unix:{options.PlainSocket}");
        var control = new ControlOptions($"unix:{options.PlainSocket}", Xds, Path.Combine(_folder, "control.sock"), _folder);
        _plane = new ControlPlane(adapt?.Invoke(control) ?? control, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public KubernetesClient Client { get; }

    public string Xds => Path.Combine(_folder, "xds.sock");

    /// <summary>Starts both and waits until the control plane is ready.</summary>
    public static async Task<EmbeddedMesh> StartAsync(AdmissionHooks hooks, Func<ControlOptions, ControlOptions>? adapt = null)
    {
        var mesh = new EmbeddedMesh(hooks, adapt);
        await mesh._api.StartAsync(CancellationToken.None);
        mesh._run = mesh._plane.RunAsync(mesh._stop.Token);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await await Task.WhenAny(mesh._run, mesh._plane.WhenReadyAsync(patience.Token));
        return mesh;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        await _plane.DisposeAsync();
        Client.Dispose();
        await _api.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_folder, true);
    }
}
