// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weft.Proxy;
using Weft.Proxy.Control;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Weft.Proxy.Overload;

if (args is not ["sidecar" or "gateway", "--bootstrap", var file])
{
    Console.Error.Write("usage: weft-proxy (sidecar | gateway) --bootstrap FILE\n");
    return 2;
}

if (DescriptorLimit.Raise() is { } refused)
{
    Console.Error.Write($"weft-proxy: {refused}; going on with the limit there is\n");
}

try
{
    var bootstrap = Bootstrap.Read(file);
    using var sidecar = new Sidecar(
        bootstrap, TimeProvider.System, new Random(), Console.Error, ShutDownSettings.Read(bootstrap, Environment.GetEnvironmentVariable));
    void Quit(PosixSignalContext signal)
    {
        // Not the default, which would end the process in the middle of what it is serving.
        signal.Cancel = true;
        sidecar.Quit();
    }

    using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Quit);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Quit);
    return sidecar.Run();
}
catch (Exception problem) when (problem is BootstrapException or IoException or SocketException or IOException)
{
    Console.Error.Write($"weft-proxy: {problem.Message}\n");
    return 1;
}
