// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Hosting;

namespace Weft.ApiServer;

/// <summary>Leaves the process's signals alone: the web host's default would take SIGTERM and not end the process.</summary>
internal sealed class EmbeddedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
