module DiffEqLang.Tests.Main

open System
open System.IO
open Expecto
open Expecto.Impl

let all =
    testList
        "DiffEqLang"
        [ Compiler.SyntaxTests.tests
          Compiler.SyntaxErrorTests.tests
          Compiler.RobustnessTests.tests
          Compiler.FormatterTests.tests
          Compiler.CheckingTests.tests
          Compiler.DiagnosticTests.tests
          Compiler.BuiltinTests.tests
          Compiler.DifferentiateTests.tests
          Compiler.SimplifyTests.tests
          Compiler.OppositesTests.tests
          Compiler.NoiseStructureTests.tests
          Compiler.PartitionTests.tests
          Compiler.SplittingTests.tests
          Compiler.SparsityTests.tests
          Compiler.PrintingTests.tests
          Compiler.ScheduleTests.tests
          Compiler.GoldenTests.tests
          Compiler.GeneratedCodeTests.tests
          Compiler.ExplainTests.tests
          Runtime.TableauTests.tests
          Runtime.OrderTests.tests
          Runtime.ImplicitTests.tests
          Runtime.MultistepTests.tests
          Runtime.SparseTests.tests
          Runtime.StepControlTests.tests
          Runtime.SaveAtTests.tests
          Runtime.SampleTimesTests.tests
          Runtime.ResumeTests.tests
          Runtime.DetestTests.tests
          Runtime.GradientTests.tests
          Runtime.AutogradTests.tests
          Runtime.BacksolveTests.tests
          Runtime.DelayTests.tests
          Runtime.CheckpointTests.tests
          Runtime.ForwardTests.tests
          Runtime.ReversibleTests.tests
          Runtime.SymplecticTests.tests
          Runtime.SplitTests.tests
          Runtime.ExponentialTests.tests
          Runtime.NystromTests.tests
          Runtime.TableauFileTests.tests
          Runtime.SimdTests.tests
          Runtime.EnsembleTests.tests
          Runtime.DenseTests.tests
          Runtime.EnginePoolTests.tests
          Runtime.LaneMatricesTests.tests
          Runtime.StageFactorsTests.tests
          Runtime.LaneSumTests.tests
          Runtime.NativeTests.tests
          Runtime.ModelTests.tests
          Runtime.DeviceTests.tests
          Runtime.InitialTests.tests
          Runtime.BrownianTests.tests
          Runtime.SdeTests.tests
          Runtime.SdeGradientTests.tests
          Runtime.SafetensorsTests.tests
          Runtime.ElementaryTests.tests
          Runtime.PointwiseTests.tests
          EndToEnd.LoweringTests.tests
          EndToEnd.RandomModelTests.tests
          EndToEnd.KernelTests.tests
          EndToEnd.InliningTests.tests
          EndToEnd.StochasticTargetTests.tests
          EndToEnd.EventTests.tests
          EndToEnd.EventRegisterTests.tests
          EndToEnd.EventGradientTests.tests
          EndToEnd.ConstraintTests.tests
          EndToEnd.ConstraintGradientTests.tests
          EndToEnd.DelayModelTests.tests
          EndToEnd.CommandLineTests.tests
          EndToEnd.FileVerbTests.tests
          EndToEnd.SolveVerbTests.tests
          EndToEnd.GradVerbTests.tests
          EndToEnd.PathTests.tests
          EndToEnd.PeerCaseTests.tests
          EndToEnd.StiffTests.tests
          EndToEnd.RadauRegisterTests.tests
          EndToEnd.SplitModelTests.tests
          EndToEnd.SwitchingTests.tests
          EndToEnd.SecondDerivativeTests.tests
          EndToEnd.ReferenceTests.tests ]

/// Expecto's own summary, then `N passed, N failed` alone on the last line. Where no test ran, that is a failure.
[<EntryPoint>]
let main arguments =
    let mutable passed, failed = 0, 0

    let closingLine =
        { TestPrinters.summaryPrinter TestPrinters.defaultPrinter with
            summary =
                fun config summary ->
                    async {
                        do! TestPrinters.defaultPrinter.summary config summary
                        passed <- List.length summary.passed
                        failed <- List.length summary.failed + List.length summary.errored
                    } }

    let status =
        runTestsWithCLIArgs
            [ CLIArguments.Printer closingLine; CLIArguments.No_Spinner; CLIArguments.Colours 0 ]
            arguments
            all

    let isListing = arguments |> Array.exists (fun a -> a.StartsWith "--list")

    if isListing then
        status
    else
        // Past Expecto's writer, which pads lines and leaves colour codes: this line stands alone.
        use output = new StreamWriter(Console.OpenStandardOutput())
        output.Write $"\n{passed} passed, {failed} failed\n"
        if status = 0 && passed = 0 then 1 else status
