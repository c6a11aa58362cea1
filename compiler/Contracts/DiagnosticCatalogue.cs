using System.Reflection;

namespace DiffEqLang.Contracts;

/// <summary>
/// Every diagnostic of the compiler. The first two digits group them: 00 files, 01 syntax, 02 names,
/// 03 shapes, 04 structure of a model, 05 noise and calculus, 06 the solve block, 09 not supported yet.
/// Each has a page of the same name in <c>compiler/diagnostics</c>.
/// </summary>
#pragma warning disable CS1591 // each field is documented by its title and its page
public static class DiagnosticCatalogue
{
    // 00: files
    public static readonly DiagnosticDescriptor UnreadableFile = Error("DEQ0001", "The file cannot be read");
    public static readonly DiagnosticDescriptor InvalidUtf8 = Error("DEQ0002", "The file is not valid UTF-8");
    public static readonly DiagnosticDescriptor NulCharacter = Error("DEQ0003", "The file holds a NUL character");
    public static readonly DiagnosticDescriptor FileTooLarge = Error("DEQ0004", "The file is too large to be a model");

    // 01: syntax
    public static readonly DiagnosticDescriptor SyntaxError = Error("DEQ0101", "Unexpected text");
    public static readonly DiagnosticDescriptor UnexpectedCharacter = Error("DEQ0102", "A character that means nothing here");
    public static readonly DiagnosticDescriptor MisspelledKeyword = Error("DEQ0103", "A word that was probably meant for another");
    public static readonly DiagnosticDescriptor UnclosedBracket = Error("DEQ0104", "A bracket is never closed");
    public static readonly DiagnosticDescriptor UnmatchedBracket = Error("DEQ0105", "A bracket closes nothing");
    public static readonly DiagnosticDescriptor MissingEquals = Error("DEQ0106", "`=` is missing");
    public static readonly DiagnosticDescriptor MissingComma = Error("DEQ0107", "A comma is missing");
    public static readonly DiagnosticDescriptor MissingBrace = Error("DEQ0108", "`{` is missing");
    public static readonly DiagnosticDescriptor EmptyFile = Error("DEQ0109", "The file declares nothing");
    public static readonly DiagnosticDescriptor NestedTooDeeply = Error("DEQ0110", "An expression is nested too deeply");
    public static readonly DiagnosticDescriptor DoubleStar = Error("DEQ0111", "`**` for `^`");
    public static readonly DiagnosticDescriptor DoubleEquals = Error("DEQ0112", "`==` and `=` exchanged");
    public static readonly DiagnosticDescriptor TildeForEquals = Error("DEQ0113", "`~` for `=`");
    public static readonly DiagnosticDescriptor MisplacedAssignment = Error("DEQ0114", "`:=` outside an event");
    public static readonly DiagnosticDescriptor EquationInEvent = Error("DEQ0115", "`=` for `:=` in an event");
    public static readonly DiagnosticDescriptor Semicolon = Error("DEQ0116", "A semicolon");
    public static readonly DiagnosticDescriptor MisplacedPrime = Error("DEQ0117", "A prime behind something that is not a name");
    public static readonly DiagnosticDescriptor SpacedDifferential = Error("DEQ0118", "A differential that is not one word");
    public static readonly DiagnosticDescriptor ForeignComment = Error("DEQ0119", "A comment in another language's marks");
    public static readonly DiagnosticDescriptor UnquotedPath = Error("DEQ0120", "A path without quotation marks");
    public static readonly DiagnosticDescriptor UnclosedString = Error("DEQ0121", "A quoted text is never closed");
    public static readonly DiagnosticDescriptor MalformedNumber = Error("DEQ0122", "A number without a digit before or behind its point");
    public static readonly DiagnosticDescriptor ImpliedMultiplication = Error("DEQ0123", "A product without `*`");
    public static readonly DiagnosticDescriptor LeadingOperator = Error("DEQ0124", "A line begins with an operator");
    public static readonly DiagnosticDescriptor ForeignLogic = Error("DEQ0125", "A logical operator of another language");
    public static readonly DiagnosticDescriptor ChainedComparison = Error("DEQ0126", "A chain of comparisons");
    public static readonly DiagnosticDescriptor NameBeginning = Error("DEQ0127", "A name that does not begin with a letter");
    public static readonly DiagnosticDescriptor RepeatedClause = Error("DEQ0128", "A clause stands twice");
    public static readonly DiagnosticDescriptor NumberTooLarge = Error("DEQ0129", "A number beyond the range of float64");
    public static readonly DiagnosticDescriptor OutsideModel = Error("DEQ0130", "A statement in the wrong place");
    public static readonly DiagnosticDescriptor SeveralDeclarations = Error("DEQ0131", "Several declarations on one line");
    public static readonly DiagnosticDescriptor StateWithValue = Error("DEQ0132", "A state with a value in its declaration");
    public static readonly DiagnosticDescriptor TooManyErrors = Info("DEQ0140", "Further errors are not shown");
    public static readonly DiagnosticDescriptor MixedScripts = Warning("DEQ0141", "A name mixes alphabets that look alike");

    // 02: names
    public static readonly DiagnosticDescriptor UnknownName = Error("DEQ0201", "A name that is not declared");
    public static readonly DiagnosticDescriptor UnknownFunction = Error("DEQ0202", "A function that does not exist");
    public static readonly DiagnosticDescriptor Redeclared = Error("DEQ0203", "A name is declared twice");
    public static readonly DiagnosticDescriptor ReservedName = Error("DEQ0204", "A name that cannot be declared");
    public static readonly DiagnosticDescriptor NotAFunction = Error("DEQ0205", "A call of something that is not a function");
    public static readonly DiagnosticDescriptor NotAValue = Error("DEQ0206", "A function or process where a value is needed");
    public static readonly DiagnosticDescriptor UnusedName = Warning("DEQ0207", "A declaration that nothing uses");
    public static readonly DiagnosticDescriptor CyclicDefinition = Error("DEQ0208", "A definition that needs itself");
    public static readonly DiagnosticDescriptor RecursiveFunction = Error("DEQ0209", "A function that calls itself");
    public static readonly DiagnosticDescriptor ArgumentCount = Error("DEQ0210", "A wrong number of arguments");
    public static readonly DiagnosticDescriptor UnknownArgument = Error("DEQ0211", "A named argument that does not exist");
    public static readonly DiagnosticDescriptor UnknownModel = Error("DEQ0212", "A model that the file does not have");
    public static readonly DiagnosticDescriptor UnknownDim = Error("DEQ0213", "A value for a dim that does not exist");

    // 03: shapes
    public static readonly DiagnosticDescriptor ElementwiseShapes = Error("DEQ0301", "Operands of different shapes");
    public static readonly DiagnosticDescriptor ProductMeansContract = Error("DEQ0302", "`*` between a matrix and a vector");
    public static readonly DiagnosticDescriptor ContractShapes = Error("DEQ0303", "Axes that do not contract");
    public static readonly DiagnosticDescriptor ContractScalar = Error("DEQ0304", "`@` with a scalar");
    public static readonly DiagnosticDescriptor BranchShapes = Error("DEQ0305", "Branches of different shapes");
    public static readonly DiagnosticDescriptor StackShapes = Error("DEQ0306", "Parts that do not join");
    public static readonly DiagnosticDescriptor EquationShape = Error("DEQ0307", "A right side of another shape than its state");
    public static readonly DiagnosticDescriptor ValueShape = Error("DEQ0308", "A value of another shape than declared");
    public static readonly DiagnosticDescriptor TooManySubscripts = Error("DEQ0309", "More subscripts than axes");
    public static readonly DiagnosticDescriptor IndexOutOfBounds = Error("DEQ0310", "A position outside of its axis");
    public static readonly DiagnosticDescriptor IndexNotConstant = Error("DEQ0311", "A position that is not a known whole number");
    public static readonly DiagnosticDescriptor TransposeRank = Error("DEQ0312", "A transpose of something that is not a matrix");
    public static readonly DiagnosticDescriptor FunctionShapes = Error("DEQ0313", "Operands of shapes that a function does not take");
    public static readonly DiagnosticDescriptor ConditionIsNumber = Error("DEQ0314", "A number where a condition is needed");
    public static readonly DiagnosticDescriptor NumberIsCondition = Error("DEQ0315", "A condition where a number is needed");
    public static readonly DiagnosticDescriptor SizeNotInteger = Error("DEQ0316", "A size that is not a whole number");
    public static readonly DiagnosticDescriptor SizeNotPositive = Error("DEQ0317", "A size below one");
    public static readonly DiagnosticDescriptor UnknownType = Error("DEQ0318", "A type that does not exist");
    public static readonly DiagnosticDescriptor DerivativeShape = Error("DEQ0319", "Operands that a derivative operator does not take");
    public static readonly DiagnosticDescriptor NetworkShape = Error("DEQ0320", "A network whose stages do not fit");
    public static readonly DiagnosticDescriptor CorrelationShape = Error("DEQ0321", "A correlation of the wrong shape");

    // 04: structure of a model
    public static readonly DiagnosticDescriptor NoStates = Error("DEQ0401", "A model without a state");
    public static readonly DiagnosticDescriptor MissingEquation = Error("DEQ0402", "A state without an equation");
    public static readonly DiagnosticDescriptor DuplicateEquation = Error("DEQ0403", "A state with two equations");
    public static readonly DiagnosticDescriptor UndeclaredState = Error("DEQ0404", "An equation for a state that is not declared");
    public static readonly DiagnosticDescriptor EquationForOther = Error("DEQ0405", "An equation for something that is not a state");
    public static readonly DiagnosticDescriptor NotAnEquation = Error("DEQ0406", "An assignment where an equation is needed");
    public static readonly DiagnosticDescriptor UnavailableDerivative = Error("DEQ0407", "A derivative that is not a value");
    public static readonly DiagnosticDescriptor DuplicateInitial = Error("DEQ0408", "A state with two initial values");
    public static readonly DiagnosticDescriptor InitialOfOther = Error("DEQ0409", "An initial value for something that is not a state");
    public static readonly DiagnosticDescriptor NotFixed = Error("DEQ0410", "A value that must be fixed before the solve");
    public static readonly DiagnosticDescriptor RepeatedSection = Error("DEQ0411", "A statement that a model has once");
    public static readonly DiagnosticDescriptor ParameterWithoutValue = Error("DEQ0412", "A parameter that does not say how it starts");
    public static readonly DiagnosticDescriptor ParameterWithTwoValues = Error("DEQ0413", "A parameter that starts in two ways");
    public static readonly DiagnosticDescriptor UnknownDistribution = Error("DEQ0414", "A distribution that does not exist");
    public static readonly DiagnosticDescriptor DistributionArguments = Error("DEQ0415", "Arguments that a distribution does not take");
    public static readonly DiagnosticDescriptor EmptyInterval = Error("DEQ0416", "An interval without a number in it");
    public static readonly DiagnosticDescriptor ClosedInterval = Error("DEQ0417", "An interval that holds its ends");
    public static readonly DiagnosticDescriptor OutsideInterval = Error("DEQ0418", "A start outside of the interval");
    public static readonly DiagnosticDescriptor NotANumber = Error("DEQ0419", "A value that is not a known number");
    public static readonly DiagnosticDescriptor DerivativeVariable = Error("DEQ0420", "A derivative by something that is not a name");
    public static readonly DiagnosticDescriptor UnknownStage = Error("DEQ0421", "A network stage that does not exist");
    public static readonly DiagnosticDescriptor StageArguments = Error("DEQ0422", "Arguments that a network stage does not take");
    public static readonly DiagnosticDescriptor TextAsValue = Error("DEQ0423", "A text where a value is needed");
    public static readonly DiagnosticDescriptor MisplacedMark = Error("DEQ0424", "A stiff part that is no term of an equation");

    // 05: noise and calculus
    public static readonly DiagnosticDescriptor TermWithoutDifferential = Error("DEQ0501", "A term without a differential");
    public static readonly DiagnosticDescriptor ProductOfDifferentials = Error("DEQ0502", "A product of two differentials");
    public static readonly DiagnosticDescriptor NonlinearDifferential = Error("DEQ0503", "A differential inside a nonlinear expression");
    public static readonly DiagnosticDescriptor DifferentialOutside = Error("DEQ0504", "A differential outside of a stochastic equation");
    public static readonly DiagnosticDescriptor UnknownDifferential = Error("DEQ0505", "A differential without a process");
    public static readonly DiagnosticDescriptor UnknownCalculus = Error("DEQ0506", "A calculus that does not exist");
    public static readonly DiagnosticDescriptor MethodIgnoresNoise = Error("DEQ0507", "A method for ordinary equations in a model with noise");
    public static readonly DiagnosticDescriptor MethodNeedsNoise = Error("DEQ0508", "A method for stochastic equations in a model without noise");
    public static readonly DiagnosticDescriptor MethodRefusesStructure = Error("DEQ0509", "Noise of a structure that the method does not take");

    // 06: the solve block
    public static readonly DiagnosticDescriptor UnknownSetting = Error("DEQ0601", "A setting that does not exist");
    public static readonly DiagnosticDescriptor RepeatedSetting = Error("DEQ0602", "A setting that stands twice");
    public static readonly DiagnosticDescriptor UnknownMethod = Error("DEQ0603", "A method that does not exist");
    public static readonly DiagnosticDescriptor UnknownOption = Error("DEQ0604", "An option that the method does not have");
    public static readonly DiagnosticDescriptor SettingValue = Error("DEQ0605", "A value that the setting does not take");
    public static readonly DiagnosticDescriptor OptionValue = Error("DEQ0606", "A value that the option does not take");
    public static readonly DiagnosticDescriptor EmptyTimeSpan = Error("DEQ0607", "A time span without length");
    public static readonly DiagnosticDescriptor TargetRefusesModel = Error("DEQ0608", "A target that cannot run the model");
    public static readonly DiagnosticDescriptor MethodRefusesEquations = Error("DEQ0609", "Equations that a symplectic method does not take");
    public static readonly DiagnosticDescriptor TableauFile = Error("DEQ0610", "A file that gives no Runge-Kutta method");
    public static readonly DiagnosticDescriptor GradientRefuses = Error("DEQ0611", "A gradient that does not go with the method or the equations");
    public static readonly DiagnosticDescriptor MethodNeedsParts = Error("DEQ0612", "A method that splits, and equations without a part for it");

    // 07: events
    public static readonly DiagnosticDescriptor JumpOfOther = Error("DEQ0701", "An event that changes something that is not a state");
    public static readonly DiagnosticDescriptor TriggerNotScalar = Error("DEQ0702", "An event on more than one number");
    public static readonly DiagnosticDescriptor FixedTrigger = Error("DEQ0703", "An event on something that never changes");
    public static readonly DiagnosticDescriptor PeriodNotPositive = Error("DEQ0704", "A period that is not positive");
    public static readonly DiagnosticDescriptor RepeatedJump = Error("DEQ0705", "A state that an event assigns twice");
    public static readonly DiagnosticDescriptor GradientThroughEvents = Error("DEQ0706", "A gradient or a method that does not go through events");

    // 08: algebraic constraints, delays
    public static readonly DiagnosticDescriptor ConstraintCount = Error("DEQ0801", "Constraints and algebraic unknowns of different number");
    public static readonly DiagnosticDescriptor SingularConstraint = Error("DEQ0802", "A constraint that determines no algebraic unknown");
    public static readonly DiagnosticDescriptor MethodRefusesConstraints = Error("DEQ0803", "A method that does not solve algebraic constraints");
    public static readonly DiagnosticDescriptor DelayArgument = Error("DEQ0811", "A state that is not called at an earlier time");
    public static readonly DiagnosticDescriptor DelayVaries = Error("DEQ0812", "A delay that is not fixed before the solve");
    public static readonly DiagnosticDescriptor NegativeDelay = Error("DEQ0813", "A delay into the future");
    public static readonly DiagnosticDescriptor DelayOutside = Error("DEQ0814", "A delayed state outside of the equations");
    public static readonly DiagnosticDescriptor HistoryOfOther = Error("DEQ0815", "A history of something that is not a state");
    public static readonly DiagnosticDescriptor DuplicateHistory = Error("DEQ0816", "A state with two histories");
    public static readonly DiagnosticDescriptor GradientThroughDelays = Error("DEQ0817", "A gradient that does not go through delays");
    public static readonly DiagnosticDescriptor MethodRefusesDelays = Error("DEQ0818", "A method that does not solve equations with delays");

    // 09: not supported yet
    public static readonly DiagnosticDescriptor DeclarationNotSupported = Error("DEQ0901", "A declaration that is not supported yet");
    public static readonly DiagnosticDescriptor EquationNotSupported = Error("DEQ0902", "A form of equation that is not supported yet");
    public static readonly DiagnosticDescriptor StageNotSupported = Error("DEQ0903", "A network stage that is not supported yet");
    public static readonly DiagnosticDescriptor ItemNotSupported = Error("DEQ0904", "A part of a file that is not supported yet");
    public static readonly DiagnosticDescriptor SettingNotSupported = Error("DEQ0905", "A setting that is not supported yet");
    public static readonly DiagnosticDescriptor EventNotSupported = Error("DEQ0906", "An event that is not supported yet");
    public static readonly DiagnosticDescriptor FunctionNotSupported = Error("DEQ0907", "A function that is not supported yet");

    /// <summary>All descriptors, in the order of their codes.</summary>
    public static IReadOnlyList<DiagnosticDescriptor> All { get; } =
        [.. typeof(DiagnosticCatalogue)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(f => f.FieldType == typeof(DiagnosticDescriptor))
            .Select(f => (DiagnosticDescriptor)f.GetValue(null)!)
            .OrderBy(d => d.Code, StringComparer.Ordinal)];

    private static DiagnosticDescriptor Error(string code, string title) => new(code, Severity.Error, title);

    private static DiagnosticDescriptor Warning(string code, string title) => new(code, Severity.Warning, title);

    private static DiagnosticDescriptor Info(string code, string title) => new(code, Severity.Info, title);
}
