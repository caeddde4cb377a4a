// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;

namespace Weft.Local.Processes;

/// <summary>Wakes one waiting loop; any number of calls before it waits count as one.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _channel = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _channel.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken ct) => await _channel.Reader.ReadAsync(ct);
}
