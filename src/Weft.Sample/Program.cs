// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Sample;
using Weft.Sample.Load;
using Weft.Sample.Serve;
using Weft.Sample.StandIns;

using var stop = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    return args switch
    {
        ["--help" or "-h" or "help", ..] => Usage.Print(Console.Out),
        ["load", .. var rest] => await LoadVerb.RunAsync(rest, Console.Out, stop.Token),
        ["get", .. var rest] => await GetVerb.RunAsync(rest, Console.Out, Console.Error, stop.Token),
        ["stand-in", .. var rest] => await StandInVerb.RunAsync(rest, Console.Out, stop.Token),
        ["serve", .. var rest] => await ServeVerb.RunAsync(rest, Console.Out, stop.Token),
        _ => await ServeVerb.RunAsync(args, Console.Out, stop.Token),
    };
}
catch (UsageException wrong)
{
    Console.Error.Write($"weft-sample: {wrong.Message}\n");
    return 2;
}

void Stop(PosixSignalContext context)
{
    // The process ends when its verb returns, after what is under way.
    context.Cancel = true;
    stop.Cancel();
}
